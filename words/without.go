package words

import (
	"encoding/json"
	"regexp"
)

var figure = regexp.MustCompile(`[0-9]+(\.[0-9]+)?`)

// WithoutFigures has … for each number that was filled in, so that texts that
// differ in their figures alone are equal.
func (t Text) WithoutFigures() Text {
	out := Text{english: figure.ReplaceAllString(t.english, "…")}
	if t.form != "" {
		out.form = string(formWithoutFigures([]byte(t.form)))
	}
	return out
}

func formWithoutFigures(form []byte) []byte {
	var h heard
	if json.Unmarshal(form, &h) != nil {
		return form
	}
	out := spoken{ID: h.ID}
	for _, arg := range h.Args {
		var plain string
		if json.Unmarshal(arg, &plain) == nil {
			out.Args = append(out.Args, figure.ReplaceAllString(plain, "…"))
			continue
		}
		out.Args = append(out.Args, json.RawMessage(formWithoutFigures(arg)))
	}
	return []byte(encode(out))
}

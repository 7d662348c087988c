package words

import (
	"encoding/json"
	"reflect"
)

// Forms are what English sentences of a record are in no language: messages with
// their arguments, by sentence. They stand beside the sentences, so that
// whoever reads a record finds sentences, and a report in another language
// their messages.
type Forms map[string]json.RawMessage

var textType = reflect.TypeFor[Text]()

// Collect returns the forms of all texts in a value; nil if it has none.
func Collect(v any) Forms {
	var forms Forms
	walk(reflect.ValueOf(v), func(at reflect.Value) {
		t := at.Interface().(Text)
		if t.form == "" {
			return
		}
		if forms == nil {
			forms = Forms{}
		}
		forms[t.english] = json.RawMessage(t.form)
	})
	return forms
}

// Restore gives the texts that v points to their messages back. A form that does
// not say what the sentence says in English is left out: records are untrusted,
// and one of another version may have other words.
func Restore(v any, forms Forms) {
	if len(forms) == 0 {
		return
	}
	walk(reflect.ValueOf(v), func(at reflect.Value) {
		sentence := at.Interface().(Text).english
		form, ok := forms[sentence]
		if !ok || !at.CanSet() {
			return
		}
		if said, ok := english().say(form); ok && said == sentence {
			at.Set(reflect.ValueOf(Text{sentence, string(form)}))
		}
	})
}

// walk visits all texts in a value.
func walk(v reflect.Value, visit func(reflect.Value)) {
	if !v.IsValid() {
		return
	}
	if v.Type() == textType {
		visit(v)
		return
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		walk(v.Elem(), visit)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				walk(v.Field(i), visit)
			}
		}
	case reflect.Slice, reflect.Array:
		if k := v.Type().Elem().Kind(); k <= reflect.Complex128 || k == reflect.String {
			return // a histogram or a captured frame has many bytes, and no texts
		}
		for i := range v.Len() {
			walk(v.Index(i), visit)
		}
	}
}

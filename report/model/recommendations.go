package model

import (
	"encoding/json"
	"fmt"

	"github.com/cnibench/cnibench/report/advice"
)

// Recommendations is the advice, one for each topology. In JSON it is an
// object if there is one topology, and a list otherwise.
type Recommendations []advice.Recommendation

// MarshalJSON writes one as an object.
func (r Recommendations) MarshalJSON() ([]byte, error) {
	if len(r) == 1 {
		return json.Marshal(r[0])
	}
	return json.Marshal([]advice.Recommendation(r))
}

// UnmarshalJSON reads either form.
func (r *Recommendations) UnmarshalJSON(text []byte) error {
	var one advice.Recommendation
	if json.Unmarshal(text, &one) == nil {
		*r = Recommendations{one}
		return nil
	}
	if err := json.Unmarshal(text, (*[]advice.Recommendation)(r)); err != nil {
		return fmt.Errorf("reading the recommendation: %w", err)
	}
	return nil
}

package report

import (
	"encoding/json"
	"fmt"

	"github.com/cnibench/cnibench/report/advice"
	"github.com/cnibench/cnibench/results"
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

// advise turns what was measured into advice, and tests the claims.
func (r *Report) advise(needs *results.Needs) {
	if needs == nil {
		needs = &results.Needs{}
	}
	facts := r.facts()
	r.Recommendation = Recommendations{}
	for _, f := range facts {
		r.Recommendation = append(r.Recommendation, advice.Recommend(*needs, f))
	}
	r.Claims = advice.Claims(facts)
}

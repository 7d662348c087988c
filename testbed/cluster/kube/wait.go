package kube

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cnibench/cnibench/words"
	"k8s.io/apimachinery/pkg/util/wait"
)

// pollInterval is the interval between requests for the state of an object.
const pollInterval = 150 * time.Millisecond

// Await checks a condition until it holds or the context ends. The condition
// returns nil once it holds, an error that says what is still missing, or an
// error made by [Final] when waiting is pointless. If the context ends the wait,
// the error says what Await waited for, why it ended, and what was missing last.
func Await(ctx context.Context, what words.Text, condition func(context.Context) error) error {
	var missing error
	err := wait.PollUntilContextCancel(ctx, pollInterval, true, func(ctx context.Context) (bool, error) {
		now := condition(ctx)
		var final *finalError
		if errors.As(now, &final) {
			return false, final
		}
		if now == nil || ctx.Err() == nil || missing == nil { // an interrupted request says nothing about the condition
			missing = now
		}
		return now == nil, nil
	})
	var final *finalError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &final):
		return final.error
	case missing == nil:
		return fmt.Errorf("waiting for %s: %w", what, context.Cause(ctx))
	}
	return words.Error(words.WaitingFor.With(what, context.Cause(ctx), missing), context.Cause(ctx), missing)
}

// Final marks an error that does not go away with time; see [Await].
func Final(err error) error { return &finalError{err} }

type finalError struct{ error }

func (e *finalError) Unwrap() error { return e.error }

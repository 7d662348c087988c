package worker

import "context"

// pingRole is a role that answers at once. It does not belong to a probe.
const pingRole = "ping"

func ping(context.Context, *Request) (any, error) { return struct{}{}, nil }

// Answers checks that the worker responds. The error says why it did not before
// ctx ended.
func (w *Worker) Answers(ctx context.Context) error {
	call, err := w.Start(ctx, pingRole, struct{}{})
	if err != nil {
		return err
	}
	return call.Wait(ctx, nil)
}

package worker

import "context"

// pingRole is a role that belongs to no probe: it answers at once.
const pingRole = "ping"

func ping(context.Context, *Request) (any, error) { return struct{}{}, nil }

// Answers asks the worker for a sign of life. The error says why there was none
// before ctx ended.
func (w *Worker) Answers(ctx context.Context) error {
	call, err := w.Start(ctx, pingRole, struct{}{})
	if err != nil {
		return err
	}
	return call.Wait(ctx, nil)
}

package plugins

import "errors"

// OnAll takes a step on all nodes concurrently and joins the errors.
func OnAll(nodes []Node, step func(Node) error) error {
	errs := make(chan error, len(nodes))
	for _, node := range nodes {
		go func() { errs <- step(node) }()
	}
	var all []error
	for range nodes {
		all = append(all, <-errs)
	}
	return errors.Join(all...)
}

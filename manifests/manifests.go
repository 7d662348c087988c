// Package manifests holds the files that the program carries along: example
// specs of acceptance tests.
package manifests

import "embed"

// Acceptance are example specs for cnibench accept, below acceptance/.
//
//go:embed acceptance/*.yaml
var Acceptance embed.FS

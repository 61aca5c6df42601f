//go:build tools

// Package tools names what is built here: durabletask-go's own sidecar, at the version that go.mod has.
package tools

import _ "github.com/microsoft/durabletask-go"

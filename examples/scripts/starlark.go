package main

import (
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

const starlarkProgram = `
def work(who):
    steps = []
    for i in range(1, 4):
        steps.append(str(i))
        pause(who + " has done " + ", ".join(steps))
    return who + " is done"
`

// starlarkScript has a Thread for each script. They share what is global, which
// cannot be changed once it is loaded.
func starlarkScript() (func(who string) (string, error), error) {
	world := starlark.StringDict{"pause": starlark.NewBuiltin("pause",
		func(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			var line string
			if err := starlark.UnpackPositionalArgs(b.Name(), args, kwargs, 1, &line); err != nil {
				return nil, err
			}
			return starlark.None, pause(line)
		})}
	globals, err := starlark.ExecFileOptions(&syntax.FileOptions{}, &starlark.Thread{}, "work.star", starlarkProgram, world)
	if err != nil {
		return nil, err
	}
	return func(who string) (string, error) {
		v, err := starlark.Call(&starlark.Thread{Name: who}, globals["work"], starlark.Tuple{starlark.String(who)}, nil)
		if err != nil {
			return "", err
		}
		line, _ := starlark.AsString(v)
		return line, nil
	}, nil
}

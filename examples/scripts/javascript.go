package main

import "github.com/dop251/goja"

const javaScriptProgram = `
function work(who) {
  let steps = [];
  for (let i = 1; i < 4; i++) {
    steps.push(i);
    pause(who + " has done " + steps.join(", "));
  }
  return who + " is done";
}`

// javaScript has a Runtime for each script: it has one stack, and can have no
// second. What is compiled can be shared.
func javaScript() (func(who string) (string, error), error) {
	program, err := goja.Compile("work.js", javaScriptProgram, true)
	if err != nil {
		return nil, err
	}
	return func(who string) (string, error) {
		vm := goja.New()
		if err := vm.Set("pause", pause); err != nil { // an error of it is thrown
			return "", err
		}
		if _, err := vm.RunProgram(program); err != nil {
			return "", err
		}
		var work func(who string) (string, error)
		if err := vm.ExportTo(vm.Get("work"), &work); err != nil {
			return "", err
		}
		return work(who)
	}, nil
}

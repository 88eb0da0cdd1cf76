package main

import lua "github.com/yuin/gopher-lua"

const luaProgram = `
function work(who)
  local steps = {}
  for i = 1, 3 do
    table.insert(steps, i)
    pause(who .. " has done " .. table.concat(steps, ", "))
  end
  return who .. " is done"
end`

// luaScript has a thread for each script. They share the globals of the state.
func luaScript() (func(who string) (string, error), error) {
	state := lua.NewState()
	state.SetGlobal("pause", state.NewFunction(func(l *lua.LState) int {
		if err := pause(l.CheckString(1)); err != nil {
			l.RaiseError("%v", err)
		}
		return 0
	}))
	if err := state.DoString(luaProgram); err != nil {
		return nil, err
	}
	return func(who string) (string, error) {
		thread, _ := state.NewThread()
		work := lua.P{Fn: state.GetGlobal("work"), NRet: 1, Protect: true}
		if err := thread.CallByParam(work, lua.LString(who)); err != nil {
			return "", err
		}
		return thread.Get(-1).String(), nil
	}, nil
}

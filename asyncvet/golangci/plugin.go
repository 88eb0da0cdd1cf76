// Package golangci is asyncvet as a plugin of golangci-lint, by its module plugin
// system. The page docs/asyncvet.md of the repository has the configuration.
package golangci

import (
	"github.com/golangci/plugin-module-register/register"
	"golang.org/x/tools/go/analysis"

	"github.com/go-greenlet/greenlet/asyncvet/rules"
)

// settings are those of the linter, the flags of the analyzer.
type settings struct {
	Files  bool `json:"files"`
	Strict bool `json:"strict"`
	Deps   bool `json:"deps"`
}

func init() { register.Plugin("asyncvet", newPlugin) }

func newPlugin(conf any) (register.LinterPlugin, error) {
	s, err := register.DecodeSettings[settings](conf)
	if err != nil {
		return nil, err
	}
	for name, on := range map[string]bool{"files": s.Files, "strict": s.Strict, "deps": s.Deps} {
		if on {
			if err := rules.Analyzer.Flags.Set(name, "true"); err != nil {
				return nil, err
			}
		}
	}
	return plugin{}, nil
}

type plugin struct{}

func (plugin) BuildAnalyzers() ([]*analysis.Analyzer, error) {
	return []*analysis.Analyzer{rules.Analyzer}, nil
}

func (plugin) GetLoadMode() string { return register.LoadModeTypesInfo }

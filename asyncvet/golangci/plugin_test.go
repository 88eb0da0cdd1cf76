package golangci

import (
	"testing"

	"github.com/golangci/plugin-module-register/register"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncvet/rules"
)

func TestPlugin(t *testing.T) {
	make, err := register.GetPlugin("asyncvet")
	require.NoError(t, err)
	plugin, err := make(map[string]any{"strict": true})
	require.NoError(t, err)
	defer rules.Analyzer.Flags.Set("strict", "false")
	assert.Equal(t, "true", rules.Analyzer.Flags.Lookup("strict").Value.String())
	assert.Equal(t, "false", rules.Analyzer.Flags.Lookup("files").Value.String())
	all, err := plugin.BuildAnalyzers()
	require.NoError(t, err)
	require.Len(t, all, 1)
	assert.Same(t, rules.Analyzer, all[0])
	assert.Equal(t, register.LoadModeTypesInfo, plugin.GetLoadMode())

	_, err = make(map[string]any{"strickt": true})
	assert.Error(t, err, "a setting that there is not")
}

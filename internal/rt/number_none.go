//go:build !gc || purego

package rt

func knownID() uint64 { return 0 }

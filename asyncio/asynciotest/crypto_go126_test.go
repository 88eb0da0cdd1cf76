//go:build go1.26

package asynciotest_test

const seedsCrypto = true

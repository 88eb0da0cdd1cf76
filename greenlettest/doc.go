// Package greenlettest is for tests of what runs on greenlets.
package greenlettest

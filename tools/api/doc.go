// Package api lists what the module's packages export, so that a change of it is
// seen: a line for each name, in the files of this folder, one for each package.
// Its test compares them with the code. After a change that was meant,
//
//	go test -C tools/api -update
//
// writes them anew, and the difference is part of the review. A line ends with
// the systems that have the name, if not all have it.
package api

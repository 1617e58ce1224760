// Package testkit is what tests share: fresh tables on DynamoDB Local and what
// calls to them cost, a clock that is moved, a real browser, asks and the
// records of their stream.
package testkit

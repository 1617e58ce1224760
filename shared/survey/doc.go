// Package survey is the domain of Pulssi: touchpoints, asks and their
// answers, categories, trust, and the rules that hold between them.
//
// It is pure: standard library only, no clock, no I/O. Storage, HTTP and
// rendering are adapters around it. The words are those of the field and of
// the product:
//
//   - a touchpoint is a moment in the customer's path where we ask;
//   - a series is the unbroken run of answers to one definition of it;
//   - an ask is one question to one person (known or not) at one touchpoint;
//   - a response is an ask that has been answered;
//   - trust says how sure we are that a human answered.
package survey

// Package asking decides whom to ask, when and at which touchpoint: the days
// and hours on which asks are sent, whose turn comes when in a cadence, and
// whether a contact may be asked now, or why not.
//
// It is pure: standard library and package survey only, no clock, no I/O. Plan
// and send ask the same [Rulebook], so that what one plans the other does, and
// what a person is told of it later agrees with both.
//
// A day is a time.Time at midnight UTC; only its date counts. A moment is a
// day and an hour in the contact's zone.
package asking

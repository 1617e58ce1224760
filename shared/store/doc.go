// Package store keeps asks, tallies, contacts and settings in DynamoDB. It
// speaks the domain's words, never HTTP, and its errors are those of package
// survey where a caller can do something about them.
//
// The tables and indexes are declared in package topology. What is in them,
// and every way they are read and written:
//
//	table      key                     item
//	responses  id                      one ask, answered or not (survey.Ask)
//	  byContact  contact, askedAt        keys only; where there is a contact
//	  feed       feed, feedAt            whole; where there is a comment: "shop-nps#2026-11" (UTC month of the
//	                                     answer), "2026-11-21T10:00:00.000Z#id"
//	tallies    series, period          one sheet: "shop-nps#1", "day#2026-11-21" or "month#2026-11"
//	contacts   id                      one person we may ask
//	settings   kind, id                "touchpoint", "shop-nps": the definition in force
//	                                   "series", "shop-nps#1": the last definition of an ended series
//
//	who        does                                  with
//	answer     shows an ask                          GetItem responses
//	answer     takes an answer, no comment           UpdateItem responses: one, conditional, 1.0 write unit, no index
//	answer     takes an answer with a comment        GetItem, UpdateItem responses, feed
//	answer     settles a contested answer            the failed UpdateItem's old image, then one more UpdateItem
//	answer     knows the touchpoints                 Query settings kind=touchpoint, once a minute and instance
//	answer     shows an ask of an ended series       GetItem settings kind=series
//	vote       takes a vote, no comment              UpdateItem responses: one, conditional, 1.0 write unit, no index
//	vote       takes a comment                       GetItem, UpdateItem responses, feed
//	tally      counts a batch                        UpdateItem tallies: one for each sheet touched
//	results    reads periods                         Query tallies series, period between
//	results    knows the touchpoints                 Query settings kind=touchpoint, once a minute and instance
//	results    reads an ended series                 GetItem settings kind=series
//	recount    reads everything                      Scan responses, Scan tallies
//	apply      changes a touchpoint                  TransactWriteItems settings
//
// There is no check-then-put: every rule that must hold is a condition of the
// write itself. Times are milliseconds since 1970, the ttl seconds.
package store

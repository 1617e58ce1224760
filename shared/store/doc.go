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
//	contacts   id                      one person we may ask (survey.Contact); the details have a version, and beside
//	                                   them stand the asks: lastAskedAt, lastAsk, asked (by touchpoint: at, ask)
//	  byCohort   cohort, zoneId          keys only: 17, "Europe/Helsinki#id"
//	addresses  address                 a hash of "ref:1001", "email:maija@example.fi" or "phone:+358401234567", and the
//	                                   contact that has it; or, of a last holder who had opted out, the opt-outs
//	decisions  contact, occasion       what was decided (survey.Decision): "shop-nps#2026Q4"; kept for 366 days
//	settings   kind, id                "touchpoint", "shop-nps": the definition in force
//	                                   "series", "shop-nps#1": the last definition of an ended series
//	                                   "annotation", id: a dated mark (survey.Annotation), as JSON with a version
//	                                   "share", hash of the key: a shared view (survey.Share), as JSON
//	                                   "rules", "asking": the rules of asking
//	                                   "plan", "tick": how far the cadences are planned
//	                                   "zones", "contacts": the time zones of contacts, a set
//	                                   "counter", "contacts": the last number of a contact
//	                                   "demo", "history": what of a generated history is written (Demo)
//	audit      month, at               what somebody is about to do (survey.AuditEntry), or that it failed: "2026-11" (UTC),
//	                                   "2026-11-21T10:00:00.000Z#id"; written once, kept for five years
//
//	who        does                                  with
//	answer     shows an ask                          GetItem responses
//	answer     takes an answer, no comment           UpdateItem responses: one, conditional, 1.0 write unit, no index
//	answer     takes an answer with a comment        GetItem, UpdateItem responses, feed
//	answer     settles a contested answer            the failed UpdateItem's old image, then one more UpdateItem
//	answer     knows the touchpoints                 Query settings kind=touchpoint, once a minute and instance
//	answer     shows an ask of an ended series       GetItem settings kind=series
//	answer     shows the page to unsubscribe         GetItem responses, GetItem contacts
//	answer     takes an opt-out, or ends one         the same, and UpdateItem contacts: conditional
//	vote       takes a vote, no comment              UpdateItem responses: one, conditional, 1.0 write unit, no index
//	vote       takes a comment                       GetItem, UpdateItem responses, feed
//	tally      counts a batch                        UpdateItem tallies: one for each sheet touched
//	results    reads periods of one or more series   Query tallies series, period between: one for each, at once
//	results    reads days at the edges of months     BatchGetItem tallies
//	results    knows the touchpoints                 Query settings kind=touchpoint, once a minute and instance
//	results    reads an ended series                 GetItem settings kind=series
//	results    reads, changes a touchpoint           GetItem, TransactWriteItems settings
//	results    lists annotations, shared views       Query settings kind=annotation, kind=share
//	results    adds one                              the same, and UpdateItem settings: conditional
//	results    changes an annotation                 GetItem, UpdateItem settings: conditional
//	results    deletes either                        DeleteItem settings: conditional
//	results    opens a shared view                   GetItem settings kind=share, and what its page reads
//	results    reads comments                        Query responses by feed: at most two waves of 16, or of one for each
//	                                                 touchpoint, in a request
//	results    lists contacts                        Scan contacts
//	results    reads a contact, finds one            GetItem contacts, GetItem addresses
//	results    adds a contact                        BatchGetItem addresses, GetItem, UpdateItem settings, TransactWriteItems
//	                                                 contacts and addresses
//	results    changes, deletes a contact            BatchGetItem addresses, TransactWriteItems contacts and addresses;
//	                                                 UpdateItem contacts where no address changes
//	results    deletes the decisions with it         Query decisions, BatchWriteItem decisions
//	results    explains asks and non-asks            Query decisions; Query responses by byContact, BatchGetItem responses
//	results    records what it is about to change    PutItem audit: conditional; once more where it fails
//	results    reads the audit log                   Query audit: one for each month, and for each MB
//	intake     finds the contacts of 100 rows        BatchGetItem addresses, BatchGetItem contacts
//	intake     adds a contact                        TransactWriteItems contacts and addresses: 2 write units an item
//	intake     changes a contact                     UpdateItem contacts; with an address, TransactWriteItems
//	intake     numbers contacts, notes their zones   UpdateItem settings: once for 100 rows, once for a zone and instance
//	plan       knows how far it is                   GetItem, UpdateItem settings kind=plan
//	plan       finds whose turn it is                GetItem settings kind=zones, Query contacts by byCohort, BatchGetItem contacts
//	plan       finds or adds the contact of an event as intake
//	plan       keeps decisions                       GetItem, PutItem decisions: conditional
//	plan, send know the touchpoints and the rules    Query settings kind=touchpoint, GetItem settings kind=rules, once a minute
//	send       reads the contact                     GetItem contacts
//	send       takes the contact's turn              UpdateItem contacts: one, conditional, no index
//	send       creates an ask                        PutItem responses: conditional
//	send       claims an ask for an attempt, frees   UpdateItem responses: conditional
//	           it; marks it sent, refused, reminded
//	send       keeps decisions                       PutItem decisions: conditional, but where the contact was asked
//	delivery   marks an ask delivered, bounced       GetItem, UpdateItem responses: conditional
//	delivery   counts bounces, takes an opt-out      GetItem, UpdateItem contacts: conditional
//	delivery   finds whose SMS it is, and the ask    GetItem addresses, contacts; Query responses by byContact,
//	                                                 BatchGetItem responses
//	delivery   takes an answer by SMS                as answer; words without one: UpdateItem responses, feed
//	history    writes what was generated             as send, delivery, answer and vote; GetItem, UpdateItem settings kind=demo
//	history    removes it                            Scan responses, DeleteItem responses: conditional; DeleteItem settings
//	recount    reads everything                      Scan responses, Scan tallies
//	erase      looks for a person                    Scan all tables
//	erase      makes an ask nobody's                 GetItem, TransactWriteItems responses: a Delete and a Put
//	erase      removes words from others' answers    UpdateItem responses, feed: conditional
//	erase      deletes a contact and its decisions   as results
//	restore    looks at a copy and its live table    DescribeTable, Scan the copy, BatchGetItem the table; contacts, addresses
//	restore    puts back what is missing             PutItem: conditional; a contact or an address: TransactWriteItems contacts
//	                                                 and addresses; zones: UpdateItem settings
//	apply      changes a touchpoint                  TransactWriteItems settings
//	apply      changes the rules of asking           UpdateItem settings: conditional
//	scripts    record what they are about to do      PutItem audit: conditional
//
// Whoever knows the id of an ask can answer it: an error does not name it,
// unless the item cannot be read and has to be found.
//
// There is no check-then-put: every rule that must hold is a condition of the
// write itself. Two contacts never have the same address: a contact and its
// addresses are written in one transaction. Times are milliseconds since 1970,
// the ttl seconds.
package store

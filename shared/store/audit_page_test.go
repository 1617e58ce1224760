package store

// AuditPage is [Store.AuditEntries] with another limit of calls.
var AuditPage = (*Store).auditPage

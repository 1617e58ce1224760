package score

// AnsweredOfSent returns the response rate answered / sent, in per cent. Like
// the other rates it is always shown with its name, is of the asks that were
// sent in the period (an answer belongs to the day its ask was sent), has no
// value where nobody was asked, and is never over 100.
func AnsweredOfSent(t Tally) Figure { return percent(t.Answered, t.Sent) }

// AnsweredOfDelivered returns the response rate answered / delivered, in per
// cent: the headline one.
//
// Delivered, in a rate, means sent and not known to have bounced. The tally's
// own count of delivered asks is of those proved to have arrived, by a notice
// or by an answer; SMS routes and providers that send no notices would have a
// rate of 100 % over that. Where every ask that arrived has its notice the two
// are the same. An answered ask is never counted as bounced, so the answered
// are always among the delivered.
func AnsweredOfDelivered(t Tally) Figure { return percent(t.Answered, t.Sent-t.Bounced) }

// ConfirmedOfDelivered returns the response rate confirmed by a human /
// delivered, in per cent, with delivered as in [AnsweredOfDelivered].
func ConfirmedOfDelivered(t Tally) Figure { return percent(t.Confirmed, t.Sent-t.Bounced) }

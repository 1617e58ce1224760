package survey

// Text is one text in several languages, by locale ("fi", "sv", "en").
type Text map[string]string

// In returns the text in locale. Where it is missing, the language alone is
// tried ("sv" for "sv-FI"), then each of fallback in order; "" is returned
// where none of them has it.
func (t Text) In(locale string, fallback []string) string {
	if s := t[locale]; s != "" {
		return s
	}
	if s := t[Language(locale)]; s != "" {
		return s
	}
	for _, l := range fallback {
		if s := t[l]; s != "" {
			return s
		}
	}
	return ""
}

// Language returns the language of a locale: "sv" for "sv-FI".
func Language(locale string) string {
	for i := 0; i < len(locale); i++ {
		if locale[i] == '-' || locale[i] == '_' {
			return locale[:i]
		}
	}
	return locale
}

package survey

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
)

// IDLength is the length of every id: 16 bytes in base64url without padding.
const IDLength = 22

// AskID returns the id of the ask to contact at touchpoint for occasion,
// which is a period ("2026Q4") or the id of a business event. The same three
// always give the same id, so that one ask can never exist twice; without the
// secret nobody can guess one. It is the first 16 bytes of HMAC-SHA256 (RFC
// 2104) over the three, each ended by a zero byte, in base64url. No two triples
// run together, whatever a foreign event's id holds: ids of touchpoints and
// contacts have no zero byte, so the first and the last two bound the rest.
func AskID(secret []byte, touchpoint, occasion, contact string) string {
	mac := hmac.New(sha256.New, secret)
	for _, s := range []string{touchpoint, occasion, contact} {
		mac.Write([]byte(s))
		mac.Write([]byte{0})
	}
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
}

// NewID returns a random id, as a page or a widget makes one for a vote. It
// never fails: crypto/rand.Read does not return errors.
func NewID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // documented never to return an error
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// Fingerprint returns 22 characters of the SHA-256 of a text, in base64url: who
// has the text finds it by that. Whoever has not can only try: it is for ids and
// keys, of which nobody can try all, and not for words.
func Fingerprint(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:])[:IDLength]
}

// CheckID returns an [Invalid] error on field where id is not 22 characters
// of base64url.
func CheckID(field, id string) error {
	ok := len(id) == IDLength
	for i := 0; ok && i < len(id); i++ {
		c := id[i]
		ok = 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_'
	}
	if !ok {
		return Errorf(Invalid, field, "%s must be %d characters of A-Z, a-z, 0-9, - and _", field, IDLength)
	}
	return nil
}

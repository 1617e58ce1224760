package survey

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The wanted ids were computed with
//
//	printf 'TOUCHPOINT\000OCCASION\000CONTACT\000' |
//	  openssl dgst -sha256 -mac HMAC -macopt hexkey:SECRET -binary | head -c 16 | basenc --base64url
func TestAskID(t *testing.T) {
	for _, c := range []struct{ secret, touchpoint, occasion, contact, want string }{
		{"736563726574", "shop-nps", "2026Q4", "c-1", "EYvVgSGQYg04TCWT8_cc9Q"},
		{"00", "", "", "", "52VSBQOe3exmm9xQmYYwJA"},
		{
			"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
			"yhteys-äö", "purchase/42", "K", "6cMw02KuPYQb3qdquNgh5w",
		},
	} {
		secret, err := hex.DecodeString(c.secret)
		if err != nil {
			t.Fatal(err)
		}
		got := AskID(secret, c.touchpoint, c.occasion, c.contact)
		if got != c.want {
			t.Errorf("%q %q %q: %s, want %s", c.touchpoint, c.occasion, c.contact, got, c.want)
		}
		wantError(t, CheckID("id", got), "", "")
	}
}

func TestAskIDsNeverRunTogether(t *testing.T) {
	type triple struct{ touchpoint, occasion, contact string }
	secret := []byte("secret")
	id := func(x triple) string { return AskID(secret, x.touchpoint, x.occasion, x.contact) }
	for _, pair := range [][2]triple{
		{{"ab", "c", "d"}, {"a", "bc", "d"}},
		{{"a", "bc", "d"}, {"a", "b", "cd"}},
		{{"a", "", "b"}, {"a", "b", ""}},
		{{"", "a", "b"}, {"a", "", "b"}},
		{{"a", "b\x00c", "d"}, {"a", "b", "d"}},
	} {
		if id(pair[0]) == id(pair[1]) {
			t.Errorf("%q and %q have one id", pair[0], pair[1])
		}
	}
	// Short texts of few letters run together easily if anything does. The
	// occasion may be a foreign event's id, with anything in it.
	ours, foreign := rapid.StringMatching(`[ab]{0,3}`), rapid.StringMatching("[ab\x00]{0,4}")
	seen := map[string]triple{}
	rapid.Check(t, func(t *rapid.T) {
		x := triple{ours.Draw(t, "touchpoint"), foreign.Draw(t, "occasion"), ours.Draw(t, "contact")}
		if was, ok := seen[id(x)]; ok && was != x {
			t.Errorf("%q and %q have one id", x, was)
		}
		seen[id(x)] = x
		if id(x) == AskID([]byte("another"), x.touchpoint, x.occasion, x.contact) {
			t.Errorf("%q has the same id under another secret", x)
		}
	})
}

func TestNewID(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		id := NewID()
		if err := CheckID("id", id); err != nil || seen[id] {
			t.Fatalf("%q: %v, seen %v", id, err, seen[id])
		}
		seen[id] = true
	}
}

func TestCheckID(t *testing.T) {
	const good = "azAZ09-_azAZ09-_azAZ09"
	for _, c := range []struct {
		id string
		ok bool
	}{
		{good, true},
		{strings.Repeat("A", 22), true},
		{"", false},
		{good[1:], false},
		{good + "a", false},
		{good[:21] + "=", false},
		{good[:21] + "+", false},
		{good[:21] + "/", false},
		{good[:21] + ".", false},
		{" " + good[1:], false},
		{good[:21] + "\n", false},
		{good[:21] + "\x00", false},
		{good[:20] + "ä", false}, // 22 bytes
		{good[:21] + "ä", false}, // 22 characters
		{"K" + good[:19], false}, // Kelvin, 22 bytes
	} {
		want := ""
		if !c.ok {
			want = "ask must be 22 characters of A-Z, a-z, 0-9, - and _"
		}
		wantError(t, CheckID("ask", c.id), "ask", want)
	}
	// Exactly the characters on either side of each range are refused.
	for b := range 256 {
		c := byte(b)
		letter := bytes.IndexByte([]byte("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"), c) >= 0
		if err := CheckID("id", good[:21]+string([]byte{c})); (err == nil) != letter {
			t.Errorf("%q: %v", c, err)
		}
	}
}

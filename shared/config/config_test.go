package config

import (
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // as the functions have it
)

// env returns a getenv that has a region, and the pairs on top of it.
func env(pairs ...string) func(string) string {
	m := map[string]string{Region: "eu-north-1"}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return func(name string) string { return m[name] }
}

func TestDefaults(t *testing.T) {
	c, err := Read(env())
	if err != nil {
		t.Fatal(err)
	}
	if want := (Config{Region: "eu-north-1", Retention: 1095 * 24 * time.Hour}); c != want {
		t.Errorf("defaults are %+v, want %+v", c, want)
	}
	zone, err := ReadZone(env())
	if err != nil || zone.String() != DefaultZone {
		t.Errorf("the default zone is %v, %v; want %s", zone, err, DefaultZone)
	}
}

func TestValues(t *testing.T) {
	c, err := Read(env(TablePrefix, "p-", PublicURL, "https://answer.example/", FrontKey, "key", Retention, "91", DynamoDBEndpoint, "http://127.0.0.1:8000"))
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		TablePrefix: "p-", PublicURL: "https://answer.example", FrontKey: "key", Region: "eu-north-1",
		Retention: 91 * 24 * time.Hour, DynamoDBEndpoint: "http://127.0.0.1:8000",
	}
	if c != want {
		t.Errorf("read %+v, want %+v", c, want)
	}
	if zone, err := ReadZone(env(Zone, "Europe/Stockholm")); err != nil || zone.String() != "Europe/Stockholm" {
		t.Errorf("the zone is %v, %v", zone, err)
	}
}

func TestMistakesAreNamed(t *testing.T) {
	for _, c := range []struct{ name, value string }{
		{Region, ""},
		{PublicURL, "answer.example"},
		{PublicURL, "ftp://answer.example"},
		{PublicURL, "https://"},
		{DynamoDBEndpoint, "localhost:8000"},
		{Retention, "90"},
		{Retention, "3651"},
		{Retention, "91.5"},
		{Retention, "091"},
		{Retention, "a year"},
	} {
		if _, err := Read(env(c.name, c.value)); err == nil || !strings.Contains(err.Error(), c.name) {
			t.Errorf("%s=%q: error %v, want one that names it", c.name, c.value, err)
		}
	}
	if _, err := ReadZone(env(Zone, "Europe/Atlantis")); err == nil || !strings.Contains(err.Error(), Zone) {
		t.Errorf("an unknown zone: error %v", err)
	}
	// The host that a request comes to is then not the one that customers know.
	if _, err := Read(env(FrontKey, "the key")); err == nil || !strings.Contains(err.Error(), PublicURL) || strings.Contains(err.Error(), "the key") {
		t.Errorf("a front without its address: error %v", err)
	}
	_, err := Read(env(Region, "", Retention, "0"))
	if err == nil || !strings.Contains(err.Error(), Region) || !strings.Contains(err.Error(), Retention) {
		t.Errorf("two mistakes: error %v, want both", err)
	}
}

func TestReadSending(t *testing.T) {
	if s, err := ReadSending(env()); err != nil || s != (Sending{Rate: 10}) {
		t.Errorf("defaults are %+v, %v", s, err)
	}
	s, err := ReadSending(env(Sender, "a@example.com", SMSSender, "Pulssi", SMSNumber, "+358401234567", MailSet, "pulssi-dev", SendRate, "0.5", DryRun, "true"))
	if want := (Sending{"a@example.com", "Pulssi", "+358401234567", "pulssi-dev", 0.5, true}); err != nil || s != want {
		t.Errorf("%+v, %v; want %+v", s, err, want)
	}
	if s, err := ReadSending(env(SendRate, "1000", DryRun, "false")); err != nil || s.Rate != 1000 || s.DryRun {
		t.Errorf("%+v, %v", s, err)
	}
	for _, bad := range []string{"0", "-1", "1000.1", "NaN", "Inf", "many"} {
		if _, err := ReadSending(env(SendRate, bad)); err == nil || !strings.Contains(err.Error(), SendRate) {
			t.Errorf("rate %q: %v", bad, err)
		}
	}
	for number, ok := range map[string]bool{"+12345": true, "+123456789012345": true, "+1234": false, "+1234567890123456": false, "358401234567": false, "+35840x": false, "+": false} {
		if _, err := ReadSending(env(SMSNumber, number)); (err == nil) != ok || err != nil && !strings.Contains(err.Error(), SMSNumber) {
			t.Errorf("number %q: %v", number, err)
		}
	}
	_, err = ReadSending(env(SendRate, "x", DryRun, "yes"))
	if err == nil || !strings.Contains(err.Error(), SendRate) || !strings.Contains(err.Error(), DryRun) {
		t.Errorf("two mistakes: %v", err)
	}
}

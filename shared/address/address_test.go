package address_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/pulssi/pulssi/shared/address"
	"github.com/pulssi/pulssi/shared/survey"
)

func TestEmail(t *testing.T) {
	local64 := strings.Repeat("a", 64)
	label63 := strings.Repeat("b", 63)
	longest := local64 + "@" + label63 + "." + label63 + "." + strings.Repeat("c", 58) + ".fi" // 254
	for _, c := range []struct{ in, want, err string }{
		{in: "aino@example.com", want: "aino@example.com"},
		{in: " \u00a0Aino.Virtanen@Example.COM \t\r\n", want: "aino.virtanen@example.com"},
		{in: "\ufeffaino@example.com\u200b", want: "aino@example.com"},
		{in: "o'brien+news=1_%&@mail.example.com", want: "o'brien+news=1_%&@mail.example.com"},
		{in: "myynti@sähkö.example", want: "myynti@xn--shk-qla6g.example"},
		{in: "myynti@sa\u0308hko\u0308.example", want: "myynti@xn--shk-qla6g.example"},
		{in: "MYYNTI@SÄHKÖ.EXAMPLE", want: "myynti@xn--shk-qla6g.example"},
		{in: "myynti@xn--shk-qla6g.example", want: "myynti@xn--shk-qla6g.example"},
		{in: "a@例子。测试", want: "a@xn--fsqu00a.xn--0zwm56d"},
		{in: longest, want: longest},
		{in: local64 + "@example.com", want: local64 + "@example.com"},
		{in: "a@" + label63 + ".fi", want: "a@" + label63 + ".fi"},

		{in: "", err: "is empty"},
		{in: " \t", err: "is empty"},
		{in: "aino.example.com", err: "has no @"},
		{in: "aino@mail@example.com", err: "has more than one @"},
		{in: "@example.com", err: "has nothing before the @"},
		{in: "aino@", err: "has nothing after the @"},
		{in: "aino@example", err: "has no dot after the @"},
		{in: "aino@example..com", err: "must not have a dot first, last or twice in a row after the @"},
		{in: "aino@.example.com", err: "must not have a dot first, last or twice in a row after the @"},
		{in: "aino@example.com.", err: "must not have a dot first, last or twice in a row after the @"},
		{in: "aino@-example.com", err: "has a domain that cannot be: it may have letters, digits, dots and, not first or last, hyphens"},
		{in: "aino@exa_mple.com", err: "has a domain that cannot be: it may have letters, digits, dots and, not first or last, hyphens"},
		{in: "aino@xn--a.com", err: "has a domain that cannot be: it may have letters, digits, dots and, not first or last, hyphens"},
		{in: "aino@[192.0.2.1]", err: "has a domain that cannot be: it may have letters, digits, dots and, not first or last, hyphens"},
		{in: "aino@192.0.2.1", err: "must end with a domain such as example.com, not with a number"},
		{in: "aino@example.c", err: "must end with a domain such as example.com, not with one letter"},
		{in: ".aino@example.com", err: "must not have a dot first, last or twice in a row before the @"},
		{in: "aino.@example.com", err: "must not have a dot first, last or twice in a row before the @"},
		{in: "ai..no@example.com", err: "must not have a dot first, last or twice in a row before the @"},
		{in: "päivi@example.com", err: "must have only letters a-z, digits and .!#$%&'*+-/=?^_`{|}~ before the @"},
		{in: "aino virtanen@example.com", err: "must not contain spaces"},
		{in: "aino\u00a0v@example.com", err: "must not contain spaces"},
		{in: "ai\x00no@example.com", err: "must not contain control characters"},
		{in: "aino\nx@example.com", err: "must not contain control characters"},
		{in: "Aino <aino@example.com>", err: "must be the address alone, without a name, quotes or brackets"},
		{in: `"aino"@example.com`, err: "must be the address alone, without a name, quotes or brackets"},
		{in: "'aino@example.com", err: "must be the address alone, without a name, quotes or brackets"},
		{in: "a@example.com;b@example.com", err: "must be one address"},
		{in: "a@example.com, b@example.com", err: "must be one address"},
		{in: "a@exam\xffple.com", err: "must be UTF-8"},
		{in: local64 + "a@example.com", err: "must have at most 64 characters before the @"},
		{in: "a@" + label63 + "b.fi", err: "must have at most 63 characters between two dots after the @"},
		{in: strings.Replace(longest, ".fi", "c.fi", 1), err: "must be at most 254 characters"},
		{in: strings.Repeat("a", 1_000_000), err: "must be at most 254 characters"},
	} {
		got, err := address.Email(c.in)
		check(t, c.in, got, err, c.want, "email", "e-mail address ", c.err)
	}
}

func TestPhone(t *testing.T) {
	for _, c := range []struct{ in, country, want, err string }{
		{in: "040 1234567", country: "FI", want: "+358401234567"},
		{in: "040-123 45 67", country: "FI", want: "+358401234567"},
		{in: "040\u20111234567", country: "FI", want: "+358401234567"},
		{in: "(040) 123.4567", country: "FI", want: "+358401234567"},
		{in: "040/1234567", country: "FI", want: "+358401234567"},
		{in: "０４０１２３４５６７", country: "FI", want: "+358401234567"},
		{in: " +358 40 123\u00a04567 ", country: "SE", want: "+358401234567"},
		{in: "+358 (0)40 1234567", country: "FI", want: "+358401234567"},
		{in: "00358401234567", country: "FI", want: "+358401234567"},
		{in: "358401234567", country: "FI", want: "+358401234567"},
		{in: "070-174 06 05", country: "SE", want: "+46701740605"},
		{in: "0046701740605", country: "FI", want: "+46701740605"},
		{in: "+46 70 174 06 05", country: "", want: "+46701740605"},
		{in: "09 123 4567", country: "FI", want: "+35891234567"},

		{in: "", country: "FI", err: "is empty"},
		{in: "ei ole", country: "FI", err: "must not contain letters"},
		{in: "040 CALL ME", country: "FI", err: "must not contain letters"},
		{in: "040 1234567 ext 5", country: "FI", err: "must not contain letters"},
		{in: "040 1234567#5", country: "FI", err: "must be made of digits, spaces and +-()./"},
		{in: "040 1234567, 050 1234567", country: "FI", err: "must be made of digits, spaces and +-()./"},
		{in: "+358401234567 +358501234567", country: "FI", err: "may have a + only before its first digit, and must be one number"},
		{in: "++358401234567", country: "FI", err: "must have at most one +"},
		{in: "040 1234567", country: "", err: "must begin with + and its country's code"},
		{in: "040 1234567", country: "XX", err: "must begin with + and its country's code"},
		{in: "+999 123456789", country: "FI", err: "must be + and a country's code, and then the number"},
		{in: "+0", country: "FI", err: "must be + and a country's code, and then the number"},
		{in: "1", country: "FI", err: "must be a phone number of FI, or begin with + and its country's code"},
		{in: "--", country: "FI", err: "must be a phone number of FI, or begin with + and its country's code"},
		{in: "0401", country: "FI", err: "is too short"},
		{in: "+358401", country: "FI", err: "is too short"},
		{in: "040 12345678901234", country: "FI", err: "is too long"},
		{in: "01 000 0000", country: "SE", err: "is not a number of the numbering plan of SE; one of another country must begin with +"},
		{in: "+46 0000 0000", country: "FI", err: "is not a number of its country's numbering plan"},
		{in: strings.Repeat(" ", 30) + "040" + strings.Repeat(" ", 54) + "1234567", country: "FI", want: "+358401234567"}, // 64 of them counted
		{in: "040" + strings.Repeat(" ", 55) + "1234567", country: "FI", err: "must be at most 64 characters"},
	} {
		got, err := address.Phone(c.in, c.country)
		check(t, c.in+" in "+c.country, got, err, c.want, "phone", "phone number ", c.err)
	}
}

func check(t *testing.T, in, got string, err error, want, field, subject, rule string) {
	t.Helper()
	if rule == "" {
		if err != nil || got != want {
			t.Errorf("%q is %q, %v; want %q", in, got, err, want)
		}
		return
	}
	e, ok := errors.AsType[*survey.Error](err)
	if !ok || got != "" || e.Code != survey.Invalid || e.Field != field || e.Message != subject+rule {
		t.Errorf("%q is %q, %v; want the rule %q", in, got, err, subject+rule)
	}
}

func TestClean(t *testing.T) {
	d := survey.Details{Ref: "7", Email: " Aino@Example.com ", Phone: "040 1234567"}
	if errs := address.Clean(&d, "FI"); len(errs) != 0 || d.Email != "aino@example.com" || d.Phone != "+358401234567" || d.Ref != "7" {
		t.Errorf("%+v, %v", d, errs)
	}
	d = survey.Details{Email: "aino", Phone: "none"}
	errs := address.Clean(&d, "FI")
	if len(errs) != 2 || d.Email != "" || d.Phone != "" || survey.CodeOf(errs[0]) != survey.Invalid ||
		!strings.Contains(errs[0].Error(), "has no @") || !strings.Contains(errs[1].Error(), "letters") {
		t.Errorf("%+v, %v", d, errs)
	}
	d = survey.Details{Email: " \t", Phone: "\u00a0"}
	if errs := address.Clean(&d, "FI"); len(errs) != 0 || d.Email != "" || d.Phone != "" {
		t.Errorf("white space: %+v, %v", d, errs)
	}
}

func FuzzEmail(f *testing.F) {
	for _, s := range []string{"Aino@Example.com", "a@sähkö.example", "a@xn--shk-qla6g.example", "a@例子。测试", "a@ß.example", "a@\u200d.example", "@", "a@b", "ſ@k.example", "a@a\u0338.fi", "a@אב.example"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := address.Email(s)
		if err != nil {
			if v != "" || survey.CodeOf(err) != survey.Invalid {
				t.Errorf("%q, %v", v, err)
			}
			return
		}
		if again, err := address.Email(v); again != v || err != nil {
			t.Errorf("%q is %q, and that is %q, %v", s, v, again, err)
		}
		if d := (survey.Details{Email: v}); d.Check() != nil {
			t.Errorf("%q is %q: %v", s, v, d.Check())
		}
	})
}

func FuzzPhone(f *testing.F) {
	for _, s := range []string{"040 1234567", "+358 (0)40 1234567", "0046701740605", "+39 02 1234 5678", "tel:040", "+1 (650) 253-0000", "+979 1234 56789", "()", "+", "٠٤٠١٢٣٤٥٦٧"} {
		f.Add(s, "FI")
		f.Add(s, "SE")
	}
	f.Add("1", "")
	f.Fuzz(func(t *testing.T, s, country string) {
		v, err := address.Phone(s, country)
		if err != nil {
			if v != "" || survey.CodeOf(err) != survey.Invalid {
				t.Errorf("%q, %v", v, err)
			}
			return
		}
		if again, err := address.Phone(v, country); again != v || err != nil {
			t.Errorf("%q in %q is %q, and that is %q, %v", s, country, v, again, err)
		}
	})
}

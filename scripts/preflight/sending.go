package main

import (
	"context"
	"fmt"
	netmail "net/mail"
	"slices"
	"strings"

	"github.com/pulssi/pulssi/scripts/preflight/assembly"
)

// mail is the SES of an account.
type mail interface {
	// Identity returns what SES knows of an address or a domain in a region.
	Identity(ctx context.Context, region, name string) (identity, error)
	// Standing returns how the account stands with SES in a region.
	Standing(ctx context.Context, region string) (standing, error)
}

// identity is what SES knows of an address or a domain.
type identity struct {
	Known    bool
	Verified bool // for sending
}

// standing is how an account stands with SES.
type standing struct {
	Production bool   // else it is in the sandbox
	Sending    bool   // else it is paused
	Health     string // HEALTHY, PROBATION or SHUTDOWN
}

// prod is the stage of real customers.
const prod = "prod"

// verified looks whether SES takes the sender.
func verified(ctx context.Context, m mail, a assembly.Assembly, account string) (finding, error) {
	address, err := sender(a)
	if err != nil || address == "" {
		return finding{seen: "none: no e-mail is sent"}, err
	}
	names, pending := identities(address), ""
	for _, name := range names {
		switch i, err := m.Identity(ctx, a.Region(), name); {
		case err != nil:
			return finding{}, fmt.Errorf("asking SES for %s: %w", name, err)
		case i.Verified && name == address:
			return finding{seen: address + ", which is verified"}, nil
		case i.Verified:
			return finding{seen: address + ", of " + name + ", which is verified"}, nil
		case i.Known && pending == "":
			pending = name
		}
	}
	made, err := makes(a, account, names)
	if err != nil {
		return finding{}, err
	}
	if made != "" {
		return finding{
			seen: address + ", of " + made + ", which is to be verified",
			notes: []advice{{
				fmt.Sprintf("No e-mail is sent until SES has verified %s: put the records Dns1 to Dns3 that the deployment prints into its DNS, and wait for true from", made),
				command("aws sesv2 get-email-identity --region %s --email-identity %s --query VerifiedForSendingStatus", a.Region(), made),
			}},
		}, nil
	}
	return finding{problems: []advice{unverified(a, names, pending)}}, nil
}

// unverified says how the first of the names of a sender is verified. One of
// them may be pending: it is known, and waits for whose it is.
func unverified(a assembly.Assembly, names []string, pending string) advice {
	address, domain := names[0], names[1]
	out := advice{fmt.Sprintf("The sender %s is not verified: SES in %s would refuse every e-mail from it.", address, a.Region())}
	switch pending {
	case "":
		return append(out,
			fmt.Sprintf("Have the deployment tell SES of the domain, with -c senderDomain=%s in the context; or tell it yourself, and put what it answers into the DNS:", domain),
			command("aws sesv2 create-email-identity --region %s --email-identity %s", a.Region(), domain),
			"or of the address alone, which gets an e-mail with a link to press:",
			command("aws sesv2 create-email-identity --region %s --email-identity %s", a.Region(), address))
	case address:
		return append(out, "SES waits for the link to be pressed in the e-mail that it sent there. It is good for a day; for another,",
			command("aws sesv2 delete-email-identity --region %s --email-identity %s", a.Region(), address),
			command("aws sesv2 create-email-identity --region %s --email-identity %s", a.Region(), address))
	default:
		return append(out, fmt.Sprintf("SES waits for the DNS of %s to have TOKEN._domainkey.%s CNAME TOKEN.ZONE for each token and the zone of", pending, pending),
			command("aws sesv2 get-email-identity --region %s --email-identity %s --query DkimAttributes.[Tokens,SigningHostedZone]", a.Region(), pending))
	}
}

// sender returns the address that e-mails are to come from, "" for none.
func sender(a assembly.Assembly) (string, error) {
	text, err := a.Sender()
	if err != nil || text == "" {
		return "", err
	}
	parsed, err := netmail.ParseAddress(text)
	if err != nil {
		return "", fmt.Errorf("the sender is no e-mail address: %w", err)
	}
	return parsed.Address, nil
}

// identities lists what makes an address one that may send: itself, its domain,
// and the domains above that, the nearest first.
func identities(address string) []string {
	domain := strings.ToLower(address[strings.LastIndex(address, "@")+1:])
	out := []string{address, domain}
	for {
		_, above, found := strings.Cut(domain, ".")
		if !found || !strings.Contains(above, ".") {
			return out
		}
		out, domain = append(out, above), above
	}
}

// makes returns which of some identities the deployment makes, "" for none.
func makes(a assembly.Assembly, account string, names []string) (string, error) {
	for _, st := range a.Stacks {
		named, err := st.Named(account)
		if err != nil {
			return "", err
		}
		for _, n := range named {
			if n.Type == assembly.Identity && slices.Contains(names, n.Name) {
				return n.Name, nil
			}
		}
	}
	return "", nil
}

// open looks whether SES lets the account write to customers.
func open(ctx context.Context, m mail, a assembly.Assembly) (finding, error) {
	address, err := sender(a)
	if err != nil || address == "" {
		return finding{seen: "not asked: no e-mail is sent"}, err
	}
	st, err := m.Standing(ctx, a.Region())
	if err != nil {
		return finding{}, fmt.Errorf("asking SES how the account stands: %w", err)
	}
	f := finding{seen: "SES sends to everybody"}
	if !st.Production {
		f.seen = "SES is in the sandbox"
		sandbox(&f, a, address)
	}
	look := command("aws sesv2 get-account --region %s", a.Region())
	switch {
	case st.Health == "SHUTDOWN" || !st.Sending:
		f.problems = append(f.problems, advice{
			fmt.Sprintf("SES in %s is paused for this account (%s): it sends nothing.", a.Region(), strings.ToLower(st.Health)),
			"Where AWS paused it, answer the case that it opened in the Support Center, which says what to mend. Where you did:", look,
			command("aws sesv2 put-account-sending-attributes --region %s --sending-enabled", a.Region()),
			"Or leave sender out of the context: everything but e-mail works.",
		})
	case st.Health == "PROBATION":
		f.seen += ", and is under review"
		f.notes = append(f.notes, advice{
			fmt.Sprintf("AWS has SES in %s under review for this account, and may pause it: too many e-mails came back or were called spam. The case in the Support Center says what to mend.", a.Region()), look,
		})
	}
	return f, nil
}

// sandbox adds what the sandbox means: in prod customers would get nothing.
func sandbox(f *finding, a assembly.Assembly, address string) {
	ask := advice{
		"Ask AWS to lift it, which takes about a day; the website is where one sees who you are and how people come to be asked:",
		command("aws sesv2 put-account-details --region %s --production-access-enabled --mail-type TRANSACTIONAL --website-url https://%s",
			a.Region(), address[strings.LastIndex(address, "@")+1:]),
	}
	if a.Stage() == prod {
		f.problems = append(f.problems, append(append(advice{
			fmt.Sprintf("SES in %s is in the sandbox: it would refuse every e-mail to a customer.", a.Region()),
		}, ask...), "Until then leave sender out of the context, or deploy another stage to try things out."))
		return
	}
	f.notes = append(f.notes, append(advice{
		fmt.Sprintf("SES in %s is in the sandbox: e-mails reach verified addresses only. Verify your own to try things out:", a.Region()),
		command("aws sesv2 create-email-identity --region %s --email-identity YOU@%s", a.Region(), address[strings.LastIndex(address, "@")+1:]),
	}, ask...))
}

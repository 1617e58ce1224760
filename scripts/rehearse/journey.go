package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/pulssi/pulssi/shared/config"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit/ministack"
	"github.com/pulssi/pulssi/shared/testkit/noon"
	"github.com/pulssi/pulssi/shared/web"
)

const (
	touchpoint = "shop-nps"
	customer   = "maija@example.com"
)

// patience is how long something may take that happens by itself.
const patience = 90 * time.Second

// eventually tries until something is so, or a function has failed.
func (r *rehearsal) eventually(ctx context.Context, try func() error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := try()
		if err == nil {
			return nil
		}
		if r.functions.failed() != nil {
			return err // and that is told too
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not within %s: %w", patience, err)
		case <-time.After(300 * time.Millisecond):
		}
	}
}

// client reaches every host at the imitation.
func (r *rehearsal) client() *http.Client {
	endpoint := strings.TrimPrefix(r.account.endpoint, "http://")
	return &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, endpoint)
		},
	}}
}

// request makes a request as a browser or a program does, which must be
// answered with a status, and returns the answer's body.
func (r *rehearsal) request(ctx context.Context, method, address, kind, body string, status int) (string, error) {
	// Of what comes in by http ministack is told that it came by https.
	req, err := http.NewRequestWithContext(ctx, method, strings.Replace(address, "https://", "http://", 1), strings.NewReader(body))
	if err != nil {
		return "", err
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	if r.token != "" && strings.HasPrefix(address, r.url+"/api/") {
		req.Header.Set("Authorization", "Bearer "+r.token)
	}
	resp, err := r.client().Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != status {
		err = fmt.Errorf("%s %s: status %d, not %d: %.500s", method, req.URL.Path, resp.StatusCode, status, b)
	}
	return string(b), err
}

// script runs a script of this folder on the deployment, as the README says.
func (r *rehearsal) script(ctx context.Context, name string, args ...string) error {
	cmd := command(ctx, "go", append([]string{"run", "./scripts/" + name}, args...)...)
	cmd.Env = r.account.environment(
		config.TablePrefix+"="+prefix, config.PublicURL+"="+r.url, config.Sender+"="+sender, config.MailSet+"="+stack,
	)
	said, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("scripts/%s: %w\n%s", name, err, last(said, 15))
	}
	r.journal.say("   scripts/%s: %s", name, last(said, 1))
	return nil
}

// front looks that files come from their bucket and pages from the API, and that
// the API is not to be reached but by the front.
func (r *rehearsal) front(ctx context.Context) error {
	for _, f := range web.Published() {
		body, err := r.request(ctx, http.MethodGet, r.url+"/"+f.Name, "", "", http.StatusOK)
		if err != nil {
			return err
		}
		if body != string(f.Body) {
			return fmt.Errorf("%s is not the file of package web, but %d bytes", f.Name, len(body))
		}
	}
	page, err := r.request(ctx, http.MethodGet, r.url+"/dashboard", "", "", http.StatusOK)
	if err != nil {
		return err
	}
	if page != string(web.DashboardPage().Body) {
		return errors.New("the dashboard is another page")
	}
	if _, err := r.request(ctx, http.MethodGet, r.api+"/dashboard", "", "", http.StatusForbidden); err != nil {
		return err
	}
	r.journal.say("   %d files from the bucket, the dashboard from the API, which answers 403 to who does not come by the front", len(web.Published()))
	return nil
}

func (r *rehearsal) touchpoints(ctx context.Context) error {
	return r.script(ctx, "apply", "-yes", "scripts/rehearse/touchpoints.yaml")
}

// vote looks at the popup's settings and the page of the public link, and votes
// as an app does.
func (r *rehearsal) vote(ctx context.Context) error {
	shown, err := r.request(ctx, http.MethodGet, r.url+"/w/"+touchpoint+".json", "", "", http.StatusOK)
	if err != nil {
		return err
	}
	page, err := r.request(ctx, http.MethodGet, r.url+"/t/"+touchpoint, "", "", http.StatusOK)
	if err != nil {
		return err
	}
	const question = "How likely are you to recommend us"
	if !strings.Contains(shown, question) || !strings.Contains(page, question) {
		return errors.New("the popup or the page does not ask")
	}
	body := fmt.Sprintf(`{"id":%q,"score":7,"comment":"Quick and friendly"}`, survey.NewID())
	if _, err := r.request(ctx, http.MethodPost, r.url+"/v/"+touchpoint, "application/json", body, http.StatusOK); err != nil {
		return err
	}
	r.journal.say("   a vote of 7 is taken")
	return nil
}

// signIn looks that nobody gets in without a token, and gets one as a program
// does.
func (r *rehearsal) signIn(ctx context.Context) error {
	if _, err := r.request(ctx, http.MethodGet, r.url+"/api/touchpoints", "", "", http.StatusUnauthorized); err != nil {
		return err
	}
	var described struct {
		UserPoolClient struct{ ClientSecret string }
	}
	err := r.account.target(ctx, "cognito-idp", "AWSCognitoIdentityProviderService.DescribeUserPoolClient", map[string]string{
		"UserPoolId": r.out["UserPoolId"], "ClientId": r.out["ProgramClientId"],
	}, &described)
	if err != nil {
		return err
	}
	signin, err := url.Parse(r.out["SigninUrl"])
	if err != nil {
		return err
	}
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {"pulssi/agent"}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.account.endpoint+"/oauth2/token", strings.NewReader(form))
	if err != nil {
		return err
	}
	req.Host = signin.Host
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(r.out["ProgramClientId"]+":"+described.UserPoolClient.ClientSecret)))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var token struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&token); err != nil || token.Token == "" {
		return fmt.Errorf("no token: %s: %w", resp.Status, err)
	}
	r.token = token.Token
	if _, err := r.request(ctx, http.MethodGet, r.url+"/api/touchpoints", "", "", http.StatusOK); err != nil {
		return err
	}
	r.journal.say("   without a token 401, with a program's 200")
	return nil
}

// ask tells of a purchase, waits for the mail that asks about it, and answers by
// the link in it.
func (r *rehearsal) ask(ctx context.Context) error {
	event, err := json.Marshal(map[string]any{
		"type": "purchase.completed", "version": 1, "id": survey.NewID(), "time": time.Now().UTC().Format(time.RFC3339),
		"contact": map[string]any{"email": customer, "firstName": "Maija", "locale": "en", "zone": noon.Zone(time.Now())},
		"data":    map[string]any{"total": 89.9, "about": "Table lamp"},
	})
	if err != nil {
		return err
	}
	if _, err := r.request(ctx, http.MethodPost, r.url+"/api/events", "application/json", string(event), http.StatusAccepted); err != nil {
		return err
	}
	link, err := r.mail(ctx, customer)
	if err != nil {
		return err
	}
	if _, err := r.request(ctx, http.MethodGet, link+"?s=9", "", "", http.StatusOK); err != nil {
		return err
	}
	form := url.Values{"score": {"9"}, "comment": {"The lamp is lovely"}}.Encode()
	if _, err := r.request(ctx, http.MethodPost, link, "application/x-www-form-urlencoded", form, http.StatusOK); err != nil {
		return err
	}
	r.journal.say("   a 9 is answered by the mail's link")
	return nil
}

// linkOf finds the link of an ask in a mail.
var linkOf = regexp.MustCompile(`https?://[^\s"<>]+/a/[A-Za-z0-9_-]{22}`)

// mail waits for a mail to somebody, and returns the link in it.
func (r *rehearsal) mail(ctx context.Context, to string) (link string, err error) {
	err = r.eventually(ctx, func() error {
		sent, err := r.request(ctx, http.MethodGet, r.account.endpoint+"/_ministack/ses/messages?account="+ministack.Account, "", "", http.StatusOK)
		if err != nil {
			return err
		}
		var kept struct {
			Messages map[string][]struct {
				Source, Subject, BodyText, BodyHtml string
				To                                  []string
			}
		}
		if err := json.Unmarshal([]byte(sent), &kept); err != nil {
			return err
		}
		for _, m := range kept.Messages[ministack.Account] {
			if len(m.To) == 1 && strings.Contains(m.To[0], to) {
				if link = linkOf.FindString(m.BodyText); link == "" {
					return fmt.Errorf("the mail has no link: %q", m.BodyText)
				}
				r.journal.say("   SES has a mail to %s from %s: %q", to, m.Source, m.Subject)
				return nil
			}
		}
		return fmt.Errorf("no mail to %s", to)
	})
	return link, err
}

// results waits until everything is counted, and reads the score.
func (r *rehearsal) results(ctx context.Context) error {
	return r.eventually(ctx, func() error {
		body, err := r.request(ctx, http.MethodGet, r.url+"/api/results/"+touchpoint, "", "", http.StatusOK)
		if err != nil {
			return err
		}
		var got struct {
			Total struct {
				N, Sent, Answered int
				Shown             string
			}
		}
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			return err
		}
		if t := got.Total; t.N != 2 || t.Sent != 1 || t.Answered != 1 || t.Shown != "50" {
			return fmt.Errorf("not the 7 and the 9, of which one was sent: %+v", t)
		}
		r.journal.say("   two answers are counted, the NPS is %s; of %d mail sent %d is answered", got.Total.Shown, got.Total.Sent, got.Total.Answered)
		return nil
	})
}

// askOneself sends an ask to oneself, the last line of a first deployment.
func (r *rehearsal) askOneself(ctx context.Context) error {
	const me = "me@example.com"
	if err := r.script(ctx, "ask", "-touchpoint", touchpoint, "-to", me); err != nil {
		return err
	}
	link, err := r.mail(ctx, me)
	if err != nil {
		return err
	}
	_, err = r.request(ctx, http.MethodGet, link, "", "", http.StatusOK)
	return err
}

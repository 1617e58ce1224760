package schedule_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/google/go-cmp/cmp"

	"github.com/pulssi/pulssi/shared/queue"
	"github.com/pulssi/pulssi/shared/schedule"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/testkit/moto"
)

var now = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

// newClient makes a schedule group of this test's own, in moto.
func newClient(t *testing.T) (*scheduler.Client, schedule.Target, *schedule.Client) {
	t.Helper()
	c := scheduler.NewFromConfig(moto.Config(t))
	target := schedule.Target{
		Group: "g-" + survey.NewID(),
		Role:  "arn:aws:iam::" + moto.Account + ":role/schedules",
		Queue: "arn:aws:sqs:" + moto.Region + ":" + moto.Account + ":pulssi-dev-asks",

		Failed: "arn:aws:sqs:" + moto.Region + ":" + moto.Account + ":pulssi-dev-asks-failed",
	}
	if _, err := c.CreateScheduleGroup(t.Context(), &scheduler.CreateScheduleGroupInput{Name: &target.Group}); err != nil {
		t.Fatal(err)
	}
	return c, target, schedule.New(c, target, func() time.Time { return now })
}

func newAsk() queue.Ask {
	return queue.Ask{
		Touchpoint: "shop-nps", Contact: survey.NewID(), Occasion: "purchase.completed/order-4711",
		Due: now.Add(7 * 24 * time.Hour), Ref: "order-4711", At: now, About: "Pörröiset tohvelit",
	}
}

func get(t *testing.T, c *scheduler.Client, group, name string) *scheduler.GetScheduleOutput {
	t.Helper()
	out, err := c.GetSchedule(t.Context(), &scheduler.GetScheduleInput{GroupName: &group, Name: &name})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestAScheduleSaysWhenWhereAndWhat(t *testing.T) {
	c, target, s := newClient(t)
	ask := newAsk()
	if err := s.At(t.Context(), ask.Due, "an-ask", ask); err != nil {
		t.Fatal(err)
	}
	list, err := c.ListSchedules(t.Context(), &scheduler.ListSchedulesInput{GroupName: &target.Group})
	if err != nil || len(list.Schedules) != 1 || *list.Schedules[0].Name != "an-ask" {
		t.Fatalf("the group has %v, %v", list.Schedules, err)
	}
	got := get(t, c, target.Group, "an-ask")
	type said struct{ Expression, Zone, Target, Failed, Role, Input, Window, After, State string }
	body, err := ask.Encode()
	if err != nil {
		t.Fatal(err)
	}
	want := said{"at(2026-11-28T09:00:00)", "UTC", target.Queue, target.Failed, target.Role, string(body), "OFF", "DELETE", "ENABLED"}
	if diff := cmp.Diff(want, said{
		*got.ScheduleExpression, *got.ScheduleExpressionTimezone, *got.Target.Arn, *got.Target.DeadLetterConfig.Arn, *got.Target.RoleArn, *got.Target.Input,
		string(got.FlexibleTimeWindow.Mode), string(got.ActionAfterCompletion), string(got.State),
	}); diff != "" {
		t.Error(diff)
	}
	if arrives, err := queue.DecodeAsk([]byte(*got.Target.Input)); err != nil || arrives != ask {
		t.Errorf("what arrives is %+v, %v", arrives, err)
	}
}

func TestTheMoment(t *testing.T) {
	c, target, s := newClient(t)
	helsinki := time.FixedZone("EET", 2*3600)
	for _, x := range []struct {
		name string
		at   time.Time
		want string
	}{
		{"of-another-zone", time.Date(2026, 12, 1, 9, 0, 0, 0, helsinki), "at(2026-12-01T07:00:00)"},
		{"a-part-of-a-second", time.Date(2026, 12, 31, 23, 59, 59, 1, time.UTC), "at(2027-01-01T00:00:00)"},
		{"a-minute-ahead", now.Add(time.Minute), "at(2026-11-21T09:01:00)"},
		{"a-little-more", now.Add(time.Minute + time.Second), "at(2026-11-21T09:01:01)"},
		{"less-than-a-minute-ahead", now.Add(time.Minute - 1), "at(2026-11-21T09:01:00)"},
		{"a-second-too-near", now.Add(59 * time.Second), "at(2026-11-21T09:01:00)"},
		{"past", now.Add(-24 * time.Hour), "at(2026-11-21T09:01:00)"},
		{"never-set", time.Time{}, "at(2026-11-21T09:01:00)"},
	} {
		if err := s.At(t.Context(), x.at, x.name, newAsk()); err != nil {
			t.Fatal(err)
		}
		if got := *get(t, c, target.Group, x.name).ScheduleExpression; got != x.want {
			t.Errorf("%s: %s, want %s", x.name, got, x.want)
		}
	}
}

func TestARepeatLeavesTheFirst(t *testing.T) {
	c, target, s := newClient(t)
	name := strings.Repeat("n", 64)
	first := newAsk()
	if err := s.At(t.Context(), first.Due, name, first); err != nil {
		t.Fatal(err)
	}
	if err := s.At(t.Context(), first.Due.Add(time.Hour), name, newAsk()); err != nil {
		t.Errorf("a repeat: %v", err)
	}
	got := get(t, c, target.Group, name)
	if arrives, err := queue.DecodeAsk([]byte(*got.Target.Input)); err != nil || arrives != first || *got.ScheduleExpression != "at(2026-11-28T09:00:00)" {
		t.Errorf("after a repeat %s brings %+v, %v", *got.ScheduleExpression, arrives, err)
	}
	// When it is done, and deleted, the name is free.
	if _, err := c.DeleteSchedule(t.Context(), &scheduler.DeleteScheduleInput{GroupName: &target.Group, Name: &name}); err != nil {
		t.Fatal(err)
	}
	second := newAsk()
	if err := s.At(t.Context(), second.Due, name, second); err != nil {
		t.Fatal(err)
	}
	if arrives, err := queue.DecodeAsk([]byte(*get(t, c, target.Group, name).Target.Input)); err != nil || arrives != second {
		t.Errorf("the second of the name brings %+v, %v", arrives, err)
	}
}

func TestAGroupThatIsNotThere(t *testing.T) {
	c, target, _ := newClient(t)
	target.Group = "not-" + survey.NewID()
	err := schedule.New(c, target, time.Now).At(t.Context(), now.AddDate(100, 0, 0), "an-ask", newAsk())
	if err == nil || !strings.Contains(err.Error(), "scheduling an ask of shop-nps for 2126-11-21T09:00:00Z") {
		t.Errorf("error %v", err)
	}
	// What is not there yet is no schedule that waits already.
	if _, err := c.GetSchedule(t.Context(), &scheduler.GetScheduleInput{GroupName: &target.Group, Name: aws.String("an-ask")}); err == nil {
		t.Error("the schedule exists")
	}
}

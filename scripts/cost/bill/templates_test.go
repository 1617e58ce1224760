package bill_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/pulssi/pulssi/scripts/cost/bill"
)

// TestStanding holds what is there in every month to what infra makes, by its
// golden templates of a stage that sends text messages too.
func TestStanding(t *testing.T) {
	files, err := filepath.Glob("../../../infra/stack/testdata/pulssi-dev*.template.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no templates: %v", err)
	}
	made := map[string]float64{} // by unit
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var template struct {
			Resources map[string]struct {
				Type       string
				Properties struct {
					Metrics []struct{ MetricStat *struct{} }
					Rules   json.RawMessage
				}
			}
		}
		if err := json.Unmarshal(b, &template); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, r := range template.Resources {
			switch r.Type {
			case "AWS::CloudWatch::Alarm":
				if len(r.Properties.Metrics) == 0 {
					made["alarm metrics"]++
				}
				for _, m := range r.Properties.Metrics {
					if m.MetricStat != nil {
						made["alarm metrics"]++
					}
				}
			case "AWS::CloudWatch::Dashboard":
				made["dashboards"]++
			case "AWS::SecretsManager::Secret":
				made["secrets"]++
			case "AWS::WAFv2::WebACL":
				var rules []json.RawMessage
				if err := json.Unmarshal(r.Properties.Rules, &rules); err != nil {
					t.Fatalf("%s: %v", file, err)
				}
				made["web ACLs"]++
				made["rules"] += float64(len(rules))
			}
		}
	}
	paid := map[string]float64{}
	for _, l := range bill.NewBill(bill.Month{}, listPrices(t), false).Lines {
		if _, ok := made[l.Unit]; ok {
			paid[l.Unit] += l.Quantity
		}
	}
	for unit, n := range made {
		if paid[unit] != n {
			t.Errorf("a bill has %v %s, and infra makes %v", paid[unit], unit, n)
		}
	}
}

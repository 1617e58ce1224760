package main

import "testing"

func TestReadPort(t *testing.T) {
	tests := []struct {
		value string
		want  int
		err   string
	}{
		{"", 8080, ""},
		{"1", 1, ""},
		{"65535", 65535, ""},
		{"0", 0, `PORT must be a number from 1 to 65535, not "0"`},
		{"65536", 0, `PORT must be a number from 1 to 65535, not "65536"`},
		{"http", 0, `PORT must be a number from 1 to 65535, not "http"`},
		{"-1", 0, `PORT must be a number from 1 to 65535, not "-1"`},
	}
	for _, tt := range tests {
		got, err := readPort(func(name string) string {
			if name != "PORT" {
				t.Errorf("read %s", name)
			}
			return tt.value
		})
		if got != tt.want || tt.err == "" && err != nil || tt.err != "" && (err == nil || err.Error() != tt.err) {
			t.Errorf("%q: %d, %v", tt.value, got, err)
		}
	}
}

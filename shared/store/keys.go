package store

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/pulssi/pulssi/shared/score"
)

// SeriesKey names a series of a touchpoint: "shop-nps#1".
type SeriesKey struct {
	Touchpoint string
	Series     int
}

func (k SeriesKey) String() string { return k.Touchpoint + "#" + strconv.Itoa(k.Series) }

// ParseSeriesKey reads what [SeriesKey.String] writes.
func ParseSeriesKey(s string) (SeriesKey, error) {
	t, n, ok := strings.Cut(s, "#")
	i, err := strconv.Atoi(n)
	if !ok || err != nil || t == "" || i < 1 {
		return SeriesKey{}, fmt.Errorf("%q is not the key of a series", s)
	}
	return SeriesKey{t, i}, nil
}

// feedKeys returns the keys of an answer in the feed of comments: its
// touchpoint and UTC month, and its moment and id.
func feedKeys(touchpoint, id string, answeredAt time.Time) (feed, feedAt string) {
	at := answeredAt.UTC()
	return touchpoint + "#" + at.Format("2006-01"), at.Format("2006-01-02T15:04:05.000Z") + "#" + id
}

// A tally's counters are flat attributes, so that ADD can reach them:
// "all/9", "channel:email/sent", "segment:plan=gold/9".

const everything = "all" // the name of score.All, which is empty

func counterName(g score.Group, counter string) string {
	if g == score.All {
		g = everything
	}
	return string(g) + "/" + counter
}

func parseCounterName(name string) (g score.Group, counter string, ok bool) {
	i := strings.LastIndexByte(name, '/')
	if i < 0 {
		return "", "", false
	}
	g, counter = score.Group(name[:i]), name[i+1:]
	if g == everything {
		g = score.All
	}
	return g, counter, true
}

// revision is the attribute that counts the updates of a sheet.
const revision = "revision"

const watermarkPrefix = "watermark/" // followed by the shard's id

// pad makes sequence numbers compare as strings: they have at most 40 digits
// (DynamoDB Streams API, StreamRecord: length 21 to 40).
func pad(sequence string) string {
	return strings.Repeat("0", max(0, 40-len(sequence))) + sequence
}

// A watermark's value is the padded sequence number up to which a shard is
// counted in the sheet, "@", and when it was written in Unix seconds. Because
// all sequence numbers are of one length, value < pad(first) holds exactly
// where the watermark is below first.

func watermarkValue(last string, now time.Time) string {
	return pad(last) + "@" + strconv.FormatInt(now.Unix(), 10)
}

func parseWatermark(v string) (sequence string, at time.Time, err error) {
	sequence, sec, ok := strings.Cut(v, "@")
	n, err := strconv.ParseInt(sec, 10, 64)
	if !ok || err != nil {
		return "", time.Time{}, fmt.Errorf("%q is not a watermark", v)
	}
	return sequence, time.Unix(n, 0), nil
}

package store

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

type item = map[string]types.AttributeValue

func str(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func num(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

func millis(t time.Time) types.AttributeValue { return num(t.UnixMilli()) }

// expression collects the names, the values and the actions of one update.
// Every name is written with a placeholder, since DynamoDB reserves many.
type expression struct {
	names  map[string]string
	values item
	sets   []string
	adds   []string
	rems   []string
}

func newExpression() *expression {
	return &expression{names: map[string]string{}, values: item{}}
}

// name returns the placeholder of an attribute's name.
func (e *expression) name(n string) string {
	for p, have := range e.names {
		if have == n {
			return p
		}
	}
	p := "#" + strconv.Itoa(len(e.names))
	e.names[p] = n
	return p
}

// path returns the placeholders of a path of names, from the outermost in.
func (e *expression) path(names ...string) string {
	ps := make([]string, len(names))
	for i, n := range names {
		ps[i] = e.name(n)
	}
	return strings.Join(ps, ".")
}

// value returns the placeholder of v; equal texts and numbers share one, which
// spares the database work.
func (e *expression) value(v types.AttributeValue) string {
	for p, have := range e.values {
		if same(have, v) {
			return p
		}
	}
	p := ":" + strconv.Itoa(len(e.values))
	e.values[p] = v
	return p
}

// same reports whether two values are the same text or the same number.
func same(a, b types.AttributeValue) bool {
	switch a := a.(type) {
	case *types.AttributeValueMemberS:
		b, ok := b.(*types.AttributeValueMemberS)
		return ok && a.Value == b.Value
	case *types.AttributeValueMemberN:
		b, ok := b.(*types.AttributeValueMemberN)
		return ok && a.Value == b.Value
	}
	return false
}

func (e *expression) set(name string, v types.AttributeValue) {
	e.sets = append(e.sets, e.name(name)+"="+e.value(v))
}

// setOnce sets the attribute where the item does not have it yet.
func (e *expression) setOnce(name string, v types.AttributeValue) {
	n := e.name(name)
	e.sets = append(e.sets, n+"=if_not_exists("+n+","+e.value(v)+")")
}

func (e *expression) add(name string, n int64) {
	e.adds = append(e.adds, e.name(name)+" "+e.value(num(n)))
}

// addTo adds a text to a set of texts.
func (e *expression) addTo(set, s string) {
	e.adds = append(e.adds, e.name(set)+" "+e.value(&types.AttributeValueMemberSS{Value: []string{s}}))
}

func (e *expression) remove(name string) { e.rems = append(e.rems, e.name(name)) }

// update returns the update expression.
func (e *expression) update() *string {
	var parts []string
	for _, p := range []struct {
		verb string
		list []string
	}{{"SET ", e.sets}, {"ADD ", e.adds}, {"REMOVE ", e.rems}} {
		if len(p.list) > 0 {
			parts = append(parts, p.verb+strings.Join(p.list, ","))
		}
	}
	s := strings.Join(parts, " ")
	return &s
}

// in returns "name IN (values)".
func (e *expression) in(name string, values ...types.AttributeValue) string {
	ps := make([]string, len(values))
	for i, v := range values {
		ps[i] = e.value(v)
	}
	return e.name(name) + " IN (" + strings.Join(ps, ",") + ")"
}

// exists is that there is an item; all that it is asked of have an id.
func (e *expression) exists() string { return "attribute_exists(" + e.name("id") + ")" }

func (e *expression) notExists(name string) string {
	return "attribute_not_exists(" + e.name(name) + ")"
}

func (e *expression) is(name, op string, v types.AttributeValue) string {
	return e.name(name) + op + e.value(v)
}

// refused returns the old image where err says that a condition did not hold
// (an empty image where there is no such item), and false otherwise.
func refused(err error) (item, bool) {
	if e, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		return e.Item, true
	}
	return nil, false
}

// conflicted reports whether err says that a write was refused by a condition,
// or a transaction by one of its own or by another transaction.
func conflicted(err error) bool {
	if _, ok := refused(err); ok || metTransaction(err) {
		return true
	}
	e, ok := errors.AsType[*types.TransactionCanceledException](err)
	if !ok {
		return false
	}
	for _, r := range e.CancellationReasons {
		if r.Code != nil && (*r.Code == "ConditionalCheckFailed" || *r.Code == "TransactionConflict") {
			return true
		}
	}
	return false
}

// metTransaction reports whether err says that a single write met a transaction
// on the same item that was under way.
func metTransaction(err error) bool {
	_, ok := errors.AsType[*types.TransactionConflictException](err)
	return ok
}

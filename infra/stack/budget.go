package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsbudgets"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// NewBudget writes to those who are told of alarms when the account has cost 80 %
// of the month's budget, and when it is going to cost more than all of it. It is
// of the whole account: costs by tag are not known before somebody has turned
// that on.
func NewBudget(scope constructs.Construct, id string, s Settings) awsbudgets.CfnBudget {
	amount, _ := dollars(s.Budget) // which was looked at
	var people []*awsbudgets.CfnBudget_SubscriberProperty
	for _, address := range s.AlarmEmails {
		people = append(people, &awsbudgets.CfnBudget_SubscriberProperty{Address: &address, SubscriptionType: jsii.String("EMAIL")})
	}
	at := func(kind string, percent float64) *awsbudgets.CfnBudget_NotificationWithSubscribersProperty {
		return &awsbudgets.CfnBudget_NotificationWithSubscribersProperty{
			Notification: &awsbudgets.CfnBudget_NotificationProperty{
				NotificationType: &kind, ComparisonOperator: jsii.String("GREATER_THAN"),
				Threshold: &percent, ThresholdType: jsii.String("PERCENTAGE"),
			},
			Subscribers: &people,
		}
	}
	return awsbudgets.NewCfnBudget(scope, &id, &awsbudgets.CfnBudgetProps{
		Budget: &awsbudgets.CfnBudget_BudgetDataProperty{
			BudgetName: jsii.String(s.name()), BudgetType: jsii.String("COST"), TimeUnit: jsii.String("MONTHLY"),
			BudgetLimit: &awsbudgets.CfnBudget_SpendProperty{Amount: &amount, Unit: jsii.String("USD")},
		},
		NotificationsWithSubscribers: &[]*awsbudgets.CfnBudget_NotificationWithSubscribersProperty{at("ACTUAL", 80), at("FORECASTED", 100)},
	})
}

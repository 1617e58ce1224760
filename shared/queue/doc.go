// Package queue is the queue of asks: what a message says, and Amazon SQS.
package queue

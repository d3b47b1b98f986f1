package handler

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/aws/aws-lambda-go/events"
)

// Invoke answers whatever the function is invoked with, told apart by its shape:
// a request of API Gateway or of a function URL, an event of an EventBridge
// partner, or Cognito's call after a user confirmed. An error makes the invoker
// try again; requests never get one.
func (h *Handler) Invoke(ctx context.Context, payload json.RawMessage) (any, error) {
	var shape struct {
		RawPath        *string
		RequestContext json.RawMessage
	}
	if err := json.Unmarshal(payload, &shape); err != nil {
		return nil, fmt.Errorf("the event is not a JSON object: %w", err)
	}
	if shape.RawPath == nil && len(shape.RequestContext) == 0 {
		return h.event(ctx, payload)
	}
	var request events.APIGatewayV2HTTPRequest
	if json.Unmarshal(payload, &request) != nil {
		return problem{Status: http.StatusBadRequest, Detail: "The event is not of payload format 2.0."}.response(), nil //nolint:nilerr // a request never gets an error
	}
	return h.Handle(ctx, request)
}

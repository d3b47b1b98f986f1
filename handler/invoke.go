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
//
// It makes the Handler a lambda.Handler, so that an event is read as JSON once. The
// payload is not kept.
func (h *Handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	answer, err := h.invoke(ctx, payload)
	if err != nil {
		return nil, err
	}
	return json.Marshal(answer)
}

func (h *Handler) invoke(ctx context.Context, payload []byte) (any, error) {
	var request events.APIGatewayV2HTTPRequest
	err := json.Unmarshal(payload, &request)
	if err == nil && request.RawPath != "" { // all that come through API Gateway
		return h.Handle(ctx, request)
	}
	var shape struct {
		RawPath        *string
		RequestContext json.RawMessage
	}
	if err := json.Unmarshal(payload, &shape); err != nil {
		return nil, fmt.Errorf("the event is not a JSON object: %w", err)
	}
	switch {
	case shape.RawPath == nil && len(shape.RequestContext) == 0:
		return h.event(ctx, payload)
	case err != nil:
		return problem{Status: http.StatusBadRequest, Detail: "The event is not of payload format 2.0."}.response(), nil //nolint:nilerr // a request never gets an error
	}
	return h.Handle(ctx, request)
}

package exoteltest

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/http"
)

// object is a JSON object written by hand: the fake must not share the client's
// structs, or a wrong tag would be wrong on both sides and never show.
type object = map[string]any

// reply is one answer of the API.
type reply struct {
	status   int // of HTTP
	envelope object
}

func succeed(r *http.Request, data object) reply {
	return reply{http.StatusOK, wrap(r, http.StatusOK, result(http.StatusOK, nil, data))}
}

// refuse is a failure whose status is the same outside and inside.
func refuse(r *http.Request, status, code int, message, description string) reply {
	return reply{status, wrap(r, status, result(status, errorData(code, message, description), nil))}
}

func notFound(r *http.Request) reply {
	return refuse(r, http.StatusNotFound, 1000, "Not Found", "Not Found")
}

func missing(r *http.Request, label string) reply {
	return refuse(r, http.StatusBadRequest, 1001, "Mandatory Parameter missing", label+" is mandatory")
}

func invalid(r *http.Request, description string) reply {
	return refuse(r, http.StatusBadRequest, 1002, "Invalid parameter", description)
}

// statusReply is a failure without a vendor code, such as a 503 of the API's own.
func statusReply(r *http.Request, status int) reply {
	if status == http.StatusTooManyRequests {
		return refuse(r, status, 1030, "Rate limit exceeded", "Too many requests. Maximum 200 requests per minute allowed. Retry after 30 seconds.")
	}
	return refuse(r, status, 0, http.StatusText(status), "")
}

func wrap(r *http.Request, httpCode int, response any) object {
	return object{"request_id": randomHex(16), "method": r.Method, "http_code": httpCode, "response": response}
}

func result(code int, errorData, data object) object {
	status := "success"
	if errorData != nil {
		status = "failure"
	}
	return object{"code": code, "error_data": errorData, "status": status, "data": data}
}

func errorData(code int, message, description string) object {
	return object{"code": code, "message": message, "description": description}
}

// code is the one inside the envelope; zero for lists and for no answer.
func (a reply) code() int {
	if result, ok := a.envelope["response"].(object); ok {
		code, _ := result["code"].(int)
		return code
	}
	return 0
}

// withEmptySID says all that the API said, but not the keys of what it is about.
func (a reply) withEmptySID() reply {
	envelope := maps.Clone(a.envelope)
	switch response := envelope["response"].(type) {
	case object:
		envelope["response"] = withEmptyKeys(response)
	case []object:
		results := make([]object, len(response))
		for i, result := range response {
			results[i] = withEmptyKeys(result)
		}
		envelope["response"] = results
	}
	return reply{a.status, envelope}
}

func withEmptyKeys(result object) object {
	data, ok := result["data"].(object)
	if !ok || data == nil {
		return result
	}
	data, result = maps.Clone(data), maps.Clone(result)
	for _, key := range []string{"trunk_sid", "id", "name"} {
		if _, there := data[key]; there {
			data[key] = ""
		}
	}
	result["data"] = data
	return result
}

// body is empty where the API said nothing.
func (a reply) body() []byte {
	if a.envelope == nil {
		return nil
	}
	body, err := json.Marshal(a.envelope)
	if err != nil {
		panic(err) // it holds strings, numbers and maps of them
	}
	return body
}

func randomHex(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails, says its documentation
	return hex.EncodeToString(b)
}

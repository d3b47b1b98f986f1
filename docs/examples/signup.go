// Command examples signs up, and waits for the trunk. The token asks how the
// signup stands; where there is no signing secret it signs up, too.
//
//	TRUNKHOOK_URL=https://... TRUNKHOOK_TOKEN=... TRUNKHOOK_SIGNING_SECRET=whsec_... go run signup.go acme-42 "Acme Telecom"
package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"time"
)

func main() {
	body, _ := json.Marshal(map[string]string{"signup_id": os.Args[1], "company": os.Args[2]})
	answer, signup := send("POST", strings.TrimSuffix(os.Getenv("TRUNKHOOK_URL"), "/")+"/signups", body)
	wait, _ := time.ParseDuration(answer.Header.Get("Retry-After") + "s")
	for strings.Contains(signup, `"status":"pending"`) { // 202: it is on disk, and will be finished
		time.Sleep(max(wait, time.Second))
		location, _ := answer.Location()
		_, signup = send("GET", location.String(), nil)
	}
	fmt.Println(signup)
}

// send sends until there is an answer that counts. A signup can be sent again: it gets one trunk.
func send(method, url string, body []byte) (*http.Response, string) {
	client := http.Client{Timeout: 15 * time.Second}
	for wait := time.Second; wait < 5*time.Minute; wait *= 2 {
		r, err := http.NewRequest(method, url, bytes.NewReader(body))
		if err != nil {
			log.Fatal(err)
		}
		prove(r, body)
		if answer, err := client.Do(r); err == nil { // else it was lost, or no connection was made
			text, err := io.ReadAll(answer.Body)
			answer.Body.Close()
			switch counts := err == nil && answer.StatusCode < 500 && answer.StatusCode != 429; {
			case counts && answer.StatusCode < 300:
				return answer, string(text)
			case counts:
				log.Fatalf("%d %s", answer.StatusCode, text)
			}
		}
		time.Sleep(wait)
	}
	log.Fatalf("%s does not answer", url)
	return nil, ""
}

// prove adds the token or, as Standard Webhooks has it, an id that is the message's, the time, and their signature.
func prove(r *http.Request, body []byte) {
	r.Header.Set("Content-Type", "application/json")
	secret, signs := strings.CutPrefix(os.Getenv("TRUNKHOOK_SIGNING_SECRET"), "whsec_")
	if !signs || r.Method == "GET" {
		r.Header.Set("Authorization", "Bearer "+os.Getenv("TRUNKHOOK_TOKEN"))
		return
	}
	key, _ := base64.StdEncoding.DecodeString(secret)
	mac, id, timestamp := hmac.New(sha256.New, key), fmt.Sprintf("signup-%.12x", sha256.Sum256(body)), fmt.Sprint(time.Now().Unix())
	fmt.Fprintf(mac, "%s.%s.%s", id, timestamp, body)
	r.Header.Set("webhook-id", id)
	r.Header.Set("webhook-timestamp", timestamp)
	r.Header.Set("webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

// Reads a webhook's secret, header fields and body as JSON on standard input, and verifies it with the official library.
package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

func main() {
	var given struct {
		Secret  string
		Body    string
		Headers map[string]string
	}
	if err := json.NewDecoder(os.Stdin).Decode(&given); err != nil {
		panic(err)
	}
	headers := http.Header{}
	for name, value := range given.Headers {
		headers.Set(name, value)
	}
	webhook, err := standardwebhooks.NewWebhookRaw([]byte(given.Secret))
	if strings.HasPrefix(given.Secret, "whsec_") {
		webhook, err = standardwebhooks.NewWebhook(given.Secret)
	}
	if err != nil {
		panic(err)
	}
	if err := webhook.Verify([]byte(given.Body), headers); err != nil {
		panic(err)
	}
	var message struct{ Event string }
	if err := json.Unmarshal([]byte(given.Body), &message); err != nil {
		panic(err)
	}
	refused := webhook.Verify([]byte(given.Body+" "), headers) != nil
	fmt.Printf("{\"event\":\"%s\",\"refused\":%t}\n", message.Event, refused)
}

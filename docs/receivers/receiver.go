// A receiver of events that verifies both signatures; Go 1.22 or newer, nothing to install: go run receiver.go
//
// SIGNING_SECRETS  the instance's signingSecret; during a rotation the new and the old one, with a space between
// ELEMENTS_KEY     the instance's event.notification.signature.key; empty where it has none
// PORT             where to listen on loopback, 9000 unless told otherwise
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	tolerance = 5 * time.Minute
	mostBytes = 40 << 20
)

var timestamp = regexp.MustCompile(`^[0-9]{1,15}$`)

// isGenuine says whether the gateway sent these bytes, and lately; whatever is missing or unreadable is a no.
func isGenuine(header http.Header, body []byte, keys [][]byte, elementsKey string) bool {
	id, stamp := header.Get("webhook-id"), header.Get("webhook-timestamp")
	if id == "" || !timestamp.MatchString(stamp) {
		return false
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || time.Since(time.Unix(seconds, 0)).Abs() > tolerance {
		return false
	}
	content := append([]byte(id+"."+stamp+"."), body...)
	genuine := false
	// Every pair is compared, and each in constant time; entries of other versions match nothing.
	for _, key := range keys {
		for _, given := range strings.Split(header.Get("webhook-signature"), " ") {
			genuine = equal("v1,"+digest(key, content), given) || genuine
		}
	}
	elements := "sha256=" + digest([]byte(elementsKey), body)
	return genuine && (elementsKey == "" || equal(elements, header.Get("Elements-Webhook-Signature")))
}

// keysOf reads the keys inside `whsec_…` texts; what cannot be read is no key.
func keysOf(secrets string) (keys [][]byte) {
	for _, secret := range strings.Fields(secrets) {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
		if err == nil && len(key) > 0 {
			keys = append(keys, key)
		}
	}
	return keys
}

func digest(key, content []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write(content)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func equal(one, other string) bool {
	return hmac.Equal([]byte(one), []byte(other))
}

type receiver struct {
	keys        [][]byte
	elementsKey string
	// The same event may come more than once, always under the same webhook-id. In a real application this is a
	// table with a unique column, written in the same transaction as what the event does; keep the ids for some days.
	mutex sync.Mutex
	seen  map[string]bool
}

func (r *receiver) ServeHTTP(response http.ResponseWriter, request *http.Request) {
	if request.Method != http.MethodPost {
		response.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(response, request.Body, mostBytes))
	if err != nil {
		response.WriteHeader(http.StatusBadRequest)
		return
	}
	if !isGenuine(request.Header, body, r.keys, r.elementsKey) {
		response.WriteHeader(http.StatusUnauthorized)
		return
	}
	var notification struct{ Message json.RawMessage }
	if json.Unmarshal(body, &notification) != nil || notification.Message == nil {
		response.WriteHeader(http.StatusBadRequest)
		return
	}
	r.once(request.Header.Get("webhook-id"), notification.Message)
	response.WriteHeader(http.StatusNoContent)
}

func (r *receiver) once(id string, message []byte) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if !r.seen[id] {
		handle(message)
		// Only now: had the work failed, there would be no 2xx, and the event would come again.
		r.seen[id] = true
	}
}

// handle is where the work begins; what takes longer than a few seconds belongs into a queue.
func handle(message []byte) {
	fmt.Println("verified:", string(message))
}

func main() {
	keys := keysOf(os.Getenv("SIGNING_SECRETS"))
	if len(keys) == 0 {
		log.Fatal("SIGNING_SECRETS must hold the instance's signingSecret, whsec_…")
	}
	port := os.Getenv("PORT")
	if port == "" {
		port = "9000"
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening on http://" + listener.Addr().String())
	handler := &receiver{keys: keys, elementsKey: os.Getenv("ELEMENTS_KEY"), seen: map[string]bool{}}
	server := &http.Server{Handler: handler, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute}
	log.Fatal(server.Serve(listener))
}

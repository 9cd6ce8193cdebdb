// Verifies access tokens with go-oidc and prints, for each, its claims or the library's words for why not.
// In: a JSON object on standard input, {jwks_url, issuer, audience, tokens}. The exit status is 0 either way.
package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

type question struct {
	JWKSURL  string `json:"jwks_url"`
	Issuer   string
	Audience string
	Tokens   []string
}

type answer struct {
	Claims  map[string]any `json:"claims,omitempty"`
	Refused string         `json:"refused,omitempty"`
}

// The library verifies ID tokens, and looks at no typ: who takes access tokens has to (RFC 9068 section 4).
func checkType(token string) error {
	head, _, _ := strings.Cut(token, ".")
	text, err := base64.RawURLEncoding.DecodeString(head)
	if err != nil {
		return err
	}
	var header struct{ Typ string }
	if err := json.Unmarshal(text, &header); err != nil {
		return err
	}
	if header.Typ != "at+jwt" {
		return errors.New("typ is not at+jwt")
	}
	return nil
}

func verify(ctx context.Context, verifier *oidc.IDTokenVerifier, token string) answer {
	if err := checkType(token); err != nil {
		return answer{Refused: err.Error()}
	}
	verified, err := verifier.Verify(ctx, token)
	if err != nil {
		return answer{Refused: err.Error()}
	}
	var claims map[string]any
	if err := verified.Claims(&claims); err != nil {
		return answer{Refused: err.Error()}
	}
	return answer{Claims: claims}
}

func main() {
	var asked question
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		panic(err)
	}
	ctx := oidc.ClientContext(context.Background(), &http.Client{Timeout: 5 * time.Second})
	verifier := oidc.NewVerifier(asked.Issuer, oidc.NewRemoteKeySet(ctx, asked.JWKSURL), &oidc.Config{
		ClientID:             asked.Audience,
		SupportedSigningAlgs: []string{"ES256", "EdDSA", "RS256"},
	})
	answers := []answer{}
	for _, token := range asked.Tokens {
		answers = append(answers, verify(ctx, verifier, token))
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		panic(err)
	}
}

// Verifies access tokens with nimbus-jose-jwt and prints, for each, its claims or the library's words for why not.
// In: a JSON object on standard input, {jwks_url, issuer, audience, tokens}. The exit status is 0 either way.
import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.source.JWKSourceBuilder;
import com.nimbusds.jose.proc.BadJOSEException;
import com.nimbusds.jose.proc.DefaultJOSEObjectTypeVerifier;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jose.util.JSONObjectUtils;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.text.ParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

class Verify {
    public static void main(String[] arguments) throws Exception {
        String text = new String(System.in.readAllBytes(), StandardCharsets.UTF_8);
        Map<String, Object> asked = JSONObjectUtils.parse(text);
        DefaultJWTProcessor<SecurityContext> processor = processor(asked);
        List<String> answers = new ArrayList<>();
        for (String token : JSONObjectUtils.getStringArray(asked, "tokens")) {
            answers.add(JSONObjectUtils.toJSONString(answer(processor, token)));
        }
        System.out.println("[" + String.join(",", answers) + "]");
    }

    // Ed25519 needs another library (Tink) beside this one, so two algorithms are enough here.
    private static DefaultJWTProcessor<SecurityContext> processor(Map<String, Object> asked) throws Exception {
        var keys = JWKSourceBuilder.create(new URL((String) asked.get("jwks_url"))).build();
        var processor = new DefaultJWTProcessor<SecurityContext>();
        processor.setJWSTypeVerifier(new DefaultJOSEObjectTypeVerifier<>(new JOSEObjectType("at+jwt")));
        processor.setJWSKeySelector(
                new JWSVerificationKeySelector<>(Set.of(JWSAlgorithm.ES256, JWSAlgorithm.RS256), keys));
        processor.setJWTClaimsSetVerifier(new DefaultJWTClaimsVerifier<>(
                (String) asked.get("audience"),
                new JWTClaimsSet.Builder().issuer((String) asked.get("issuer")).build(),
                Set.of("sub", "exp", "iat", "jti", "client_id")));
        return processor;
    }

    private static Map<String, Object> answer(DefaultJWTProcessor<SecurityContext> processor, String token) {
        try {
            return Map.of("claims", processor.process(token, null).toJSONObject());
        } catch (ParseException | BadJOSEException | JOSEException refused) {
            return Map.of("refused", String.valueOf(refused.getMessage()));
        }
    }
}

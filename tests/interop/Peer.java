import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.Security;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.mail.internet.MimeBodyPart;
import javax.mail.internet.MimeMultipart;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DERNull;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.cms.CMSObjectIdentifiers;
import org.bouncycastle.asn1.cms.ContentInfo;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.RSAESOAEPparams;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.cms.*;
import org.bouncycastle.cms.jcajce.*;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.mail.smime.SMIMESigned;
import org.bouncycastle.mail.smime.SMIMESignedGenerator;
import org.bouncycastle.operator.DefaultDigestAlgorithmIdentifierFinder;
import org.bouncycastle.operator.OutputAEADEncryptor;
import org.bouncycastle.operator.OutputEncryptor;

/**
 * Bouncy Castle as an AS2 peer, for the interop tests: what OpenAS2, mendelson and phase2 do with
 * it, behind one command a line on stdin and one answer a line on stdout, so that one JVM serves
 * a whole table. It ends with its stdin.
 *
 * <pre>
 * seal key= cert= to= in=ENTITY out=ENTITY layers=compress,sign,encrypt mic=sha256
 *      sign=sha256 scheme=pkcs1|pss|ecdsa cipher=aes-256-cbc transport=pkcs1|oaep|ecdh hash= mgf=
 * open key= cert= from= in=ENTITY out=PAYLOAD mic=sha256
 * </pre>
 *
 * An entity is a header block, an empty line and a body; `layers` go from the inside out; `mic`
 * is the digest where no signature says one. Answers: `ok NAME=VALUE …` with tabs between, or
 * `error TEXT`.
 */
public class Peer {
    static final String BC = BouncyCastleProvider.PROVIDER_NAME;

    public static void main(String[] args) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        System.out.println("ready\t" + BC + " " + Security.getProvider(BC).getVersionStr());
        for (String line; (line = lines.readLine()) != null; ) {
            System.out.println(answer(line));
        }
    }

    static String answer(String line) {
        try {
            var words = line.split("\t");
            var said = new HashMap<String, String>();
            for (var word : Arrays.copyOfRange(words, 1, words.length)) {
                int at = word.indexOf('=');
                said.put(word.substring(0, at), word.substring(at + 1));
            }
            return switch (words[0]) {
                case "seal" -> seal(said);
                case "open" -> open(said);
                default -> "error no such command";
            };
        } catch (Throwable why) {
            return "error " + String.valueOf(why).replaceAll("\\s+", " ");
        }
    }

    // Sealing.

    static String seal(Map<String, String> said) throws Exception {
        byte[] entity = Files.readAllBytes(Path.of(said.get("in")));
        var layers = said.get("layers").isEmpty() ? List.<String>of() : List.of(said.get("layers").split(","));
        // RFC 4130 section 7.3.1, RFC 5402 section 4: of the bare content where nothing is done
        // to it, of the whole entity where something is, of what was signed where that is.
        String mic = digest(said.get("mic"), layers.isEmpty() ? body(entity) : entity);
        for (var layer : layers) {
            if (layer.equals("sign")) {
                mic = digest(said.get("sign"), entity);
            }
            entity = switch (layer) {
                case "compress" -> compress(entity);
                case "sign" -> sign(entity, said);
                case "encrypt" -> encrypt(entity, said);
                default -> throw new IllegalArgumentException("no layer " + layer);
            };
        }
        Files.write(Path.of(said.get("out")), entity);
        return "ok\tmic=" + mic;
    }

    static byte[] compress(byte[] entity) throws Exception {
        var out = new ByteArrayOutputStream();
        var generator = new CMSCompressedDataStreamGenerator();
        try (OutputStream to = generator.open(out, new ZlibCompressor())) {
            to.write(entity);
        }
        return wrapped("compressed-data", "smime.p7z", out.toByteArray());
    }

    static byte[] sign(byte[] entity, Map<String, String> said) throws Exception {
        PrivateKey key = key(said.get("key"));
        String scheme = switch (said.getOrDefault("scheme", "pkcs1")) {
            case "pss" -> "withRSAandMGF1";
            case "ecdsa" -> "withECDSA";
            default -> "withRSA";
        };
        String algorithm = said.get("sign").toUpperCase().replace("-", "") + scheme;
        var builder = new JcaSimpleSignerInfoGeneratorBuilder().setProvider(BC);
        var generator = new SMIMESignedGenerator("binary");
        generator.addSignerInfoGenerator(builder.build(algorithm, key, certificate(said.get("cert"))));
        MimeMultipart parts = generator.generate(new MimeBodyPart(new ByteArrayInputStream(entity)));
        var whole = new MimeBodyPart();
        whole.setContent(parts);
        whole.setHeader("Content-Type", parts.getContentType());
        return written(whole);
    }

    static byte[] encrypt(byte[] entity, Map<String, String> said) throws Exception {
        var data = new CMSProcessableByteArray(entity);
        var recipient = recipient(said);
        var encryptor = encryptor(said.get("cipher"));
        if (encryptor instanceof OutputAEADEncryptor aead) {
            var generator = new CMSAuthEnvelopedDataGenerator();
            generator.addRecipientInfoGenerator(recipient);
            byte[] der = generator.generate(data, aead).getEncoded();
            return wrapped("authEnveloped-data", "smime.p7m", der);
        }
        var out = new ByteArrayOutputStream();
        var generator = new CMSEnvelopedDataStreamGenerator();
        generator.addRecipientInfoGenerator(recipient);
        try (OutputStream to = generator.open(out, encryptor)) {
            data.write(to);
        }
        return wrapped("enveloped-data", "smime.p7m", out.toByteArray());
    }

    static OutputEncryptor encryptor(String cipher) throws Exception {
        record Row(ASN1ObjectIdentifier oid, int bits) {}
        Row row = switch (cipher) {
            case "aes-128-cbc" -> new Row(CMSAlgorithm.AES128_CBC, 0);
            case "aes-192-cbc" -> new Row(CMSAlgorithm.AES192_CBC, 0);
            case "aes-256-cbc" -> new Row(CMSAlgorithm.AES256_CBC, 0);
            case "aes-128-gcm" -> new Row(CMSAlgorithm.AES128_GCM, 0);
            case "aes-192-gcm" -> new Row(CMSAlgorithm.AES192_GCM, 0);
            case "aes-256-gcm" -> new Row(CMSAlgorithm.AES256_GCM, 0);
            case "3des" -> new Row(CMSAlgorithm.DES_EDE3_CBC, 0);
            case "rc2-128-cbc" -> new Row(CMSAlgorithm.RC2_CBC, 128);
            case "rc2-64-cbc" -> new Row(CMSAlgorithm.RC2_CBC, 64);
            case "rc2-40-cbc" -> new Row(CMSAlgorithm.RC2_CBC, 40);
            default -> throw new IllegalArgumentException("no cipher " + cipher);
        };
        var builder = row.bits == 0
            ? new JceCMSContentEncryptorBuilder(row.oid)
            : new JceCMSContentEncryptorBuilder(row.oid, row.bits);
        return builder.setProvider(BC).build();
    }

    static RecipientInfoGenerator recipient(Map<String, String> said) throws Exception {
        X509Certificate to = certificate(said.get("to"));
        String hash = said.getOrDefault("hash", "sha1");
        switch (said.getOrDefault("transport", "pkcs1")) {
            case "oaep": {
                var oaep = oaep(hash, said.getOrDefault("mgf", hash));
                return new JceKeyTransRecipientInfoGenerator(to, oaep).setProvider(BC);
            }
            case "ecdh": {
                var generator = KeyPairGenerator.getInstance("EC", BC);
                generator.initialize(new ECGenParameterSpec("P-256"));
                KeyPair pair = generator.generateKeyPair();
                var agreement = switch (hash) {
                    case "sha256" -> CMSAlgorithm.ECDH_SHA256KDF;
                    case "sha384" -> CMSAlgorithm.ECDH_SHA384KDF;
                    case "sha512" -> CMSAlgorithm.ECDH_SHA512KDF;
                    default -> CMSAlgorithm.ECDH_SHA1KDF;
                };
                var wrap = said.get("cipher").contains("128") ? CMSAlgorithm.AES128_WRAP : CMSAlgorithm.AES256_WRAP;
                return new JceKeyAgreeRecipientInfoGenerator(agreement, pair.getPrivate(), pair.getPublic(), wrap)
                    .addRecipient(to).setProvider(BC);
            }
            default:
                return new JceKeyTransRecipientInfoGenerator(to).setProvider(BC);
        }
    }

    static AlgorithmIdentifier oaep(String hash, String mgf) {
        var none = new DEROctetString(new byte[0]);
        var label = new AlgorithmIdentifier(PKCSObjectIdentifiers.id_pSpecified, none);
        var mask = new AlgorithmIdentifier(PKCSObjectIdentifiers.id_mgf1, algorithm(mgf));
        return new AlgorithmIdentifier(
            PKCSObjectIdentifiers.id_RSAES_OAEP, new RSAESOAEPparams(algorithm(hash), mask, label));
    }

    static AlgorithmIdentifier algorithm(String hash) {
        String name = hash.toUpperCase().replace("SHA", "SHA-");
        return new AlgorithmIdentifier(new DefaultDigestAlgorithmIdentifierFinder().find(name).getAlgorithm(), DERNull.INSTANCE);
    }

    // Opening.

    static String open(Map<String, String> said) throws Exception {
        byte[] entity = Files.readAllBytes(Path.of(said.get("in")));
        var layers = new ArrayList<String>();
        String mic = null;
        while (true) {
            var part = new MimeBodyPart(new ByteArrayInputStream(entity));
            if (part.isMimeType("multipart/signed")) {
                layers.add("sign");
                var signed = new SMIMESigned((MimeMultipart) part.getContent(), "binary");
                String hash = verify(signed, certificate(said.get("from")));
                entity = written(signed.getContent());
                mic = digest(hash, entity);
            } else if (part.isMimeType("application/pkcs7-mime") || part.isMimeType("application/x-pkcs7-mime")) {
                var cms = ContentInfo.getInstance(part.getInputStream().readAllBytes());
                var kind = cms.getContentType();
                if (kind.equals(CMSObjectIdentifiers.signedData)) {
                    layers.add("sign");
                    var signed = new CMSSignedData(cms);
                    String hash = verify(signed, certificate(said.get("from")));
                    entity = (byte[]) signed.getSignedContent().getContent();
                    mic = digest(hash, entity);
                } else if (kind.equals(CMSObjectIdentifiers.compressedData)) {
                    layers.add("compress");
                    entity = new CMSCompressedData(cms).getContent(new ZlibExpanderProvider());
                } else {
                    layers.add("encrypt");
                    entity = decrypt(cms, key(said.get("key")));
                }
            } else {
                if (mic == null) {
                    mic = digest(said.get("mic"), layers.isEmpty() ? body(entity) : entity);
                }
                Files.write(Path.of(said.get("out")), part.getInputStream().readAllBytes());
                return "ok\tmic=" + mic + "\tlayers=" + String.join(",", layers);
            }
        }
    }

    /** Verifies with the pinned certificate, and gives the digest's name. */
    static String verify(CMSSignedData signed, X509Certificate pinned) throws Exception {
        var verifier = new JcaSimpleSignerInfoVerifierBuilder().setProvider(BC).build(pinned);
        String hash = null;
        for (SignerInformation signer : signed.getSignerInfos().getSigners()) {
            if (!signer.verify(verifier)) {
                throw new IllegalArgumentException("the signature does not verify");
            }
            hash = signer.getDigestAlgOID();
        }
        return hash;
    }

    static byte[] decrypt(ContentInfo cms, PrivateKey key) throws Exception {
        boolean authenticated = cms.getContentType().equals(CMSObjectIdentifiers.authEnvelopedData);
        var recipients = authenticated
            ? new CMSAuthEnvelopedData(cms).getRecipientInfos()
            : new CMSEnvelopedData(cms).getRecipientInfos();
        for (RecipientInformation one : recipients.getRecipients()) {
            if (one instanceof KeyAgreeRecipientInformation) {
                return one.getContent(new JceKeyAgreeEnvelopedRecipient(key).setProvider(BC));
            }
            return one.getContent(authenticated
                ? new JceKeyTransAuthEnvelopedRecipient(key).setProvider(BC)
                : new JceKeyTransEnvelopedRecipient(key).setProvider(BC));
        }
        throw new IllegalArgumentException("no recipient");
    }

    // What both need.

    static byte[] wrapped(String kind, String name, byte[] cms) throws Exception {
        var out = new ByteArrayOutputStream();
        String head = "Content-Type: application/pkcs7-mime; smime-type=" + kind + "; name=\"" + name + "\"\r\n"
            + "Content-Transfer-Encoding: binary\r\n\r\n";
        out.write(head.getBytes(StandardCharsets.US_ASCII));
        out.write(cms);
        return out.toByteArray();
    }

    static byte[] written(MimeBodyPart part) throws Exception {
        var out = new ByteArrayOutputStream();
        part.writeTo(out);
        return out.toByteArray();
    }

    /** What follows the first empty line. */
    static byte[] body(byte[] entity) {
        for (int at = 0; at + 4 <= entity.length; at++) {
            if (entity[at] == '\r' && entity[at + 1] == '\n' && entity[at + 2] == '\r' && entity[at + 3] == '\n') {
                return Arrays.copyOfRange(entity, at + 4, entity.length);
            }
        }
        return entity;
    }

    static String digest(String name, byte[] bytes) throws Exception {
        return Base64.getEncoder().encodeToString(MessageDigest.getInstance(name, BC).digest(bytes));
    }

    static PrivateKey key(String path) throws Exception {
        String pem = Files.readString(Path.of(path)).replaceAll("-----[A-Z ]+-----|\\s", "");
        var spec = new PKCS8EncodedKeySpec(Base64.getDecoder().decode(pem));
        try {
            return KeyFactory.getInstance("RSA", BC).generatePrivate(spec);
        } catch (Exception notRsa) {
            return KeyFactory.getInstance("EC", BC).generatePrivate(spec);
        }
    }

    static X509Certificate certificate(String path) throws Exception {
        try (InputStream in = Files.newInputStream(Path.of(path))) {
            return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
        }
    }
}

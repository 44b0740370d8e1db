import java.io.FileInputStream;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;

/** Greets over TLS with the key of a PKCS #12 key store. Arguments: key store, passphrase file, address, port. */
class TLSServer {
    public static void main(String[] arguments) throws Exception {
        char[] passphrase = Files.readAllLines(Path.of(arguments[1])).get(0).toCharArray();
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (var file = new FileInputStream(arguments[0])) {
            store.load(file, passphrase);
        }
        var keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(store, passphrase);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), null, null);
        var address = InetAddress.getByName(arguments[2]);
        var server = context.getServerSocketFactory().createServerSocket(Integer.parseInt(arguments[3]), 10, address);
        while (true) {
            try (var client = server.accept()) {
                client.getOutputStream().write("Hello from Java\n".getBytes());
            } catch (java.io.IOException error) {
                System.err.println(error);
            }
        }
    }
}

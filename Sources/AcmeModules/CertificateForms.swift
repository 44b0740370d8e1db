internal import AnsibleModule
internal import Names
internal import PKI
internal import Platform
internal import Store

/// The forms in which a certificate is kept, and the passphrase that some of them need.
extension CertificateOptions {
    /// Whether its forms can be made at all. What its passphrase is shows later, and concerns this certificate alone.
    func checkForms() throws(OptionError) {
        if let format = sortedFormats.first(where: \.needsPassphrase), settings.passphraseFile == nil {
            throw OptionError(
                "certificate \(key): the format \(format.rawValue) needs passphrase_file, a file with the passphrase "
                    + "in its first line")
        }
        let longest = 255 - CertificatePaths.longestSuffix
        guard !settings.formats.contains(.der) || firstName.fileName.utf8.count <= longest else {
            throw OptionError(
                "certificate \(key): its first name is too long to name files in the format der; put a shorter one first"
            )
        }
    }

    /// The forms with their passphrase; nil where its file is not there yet and this is a prediction: the run before
    /// this one would have put it there.
    func forms(isPrediction: Bool) throws(StoreError) -> [CertificateForm]? {
        guard settings.formats.contains(where: \.needsPassphrase), let path = settings.passphraseFile else {
            return sortedFormats.compactMap { CertificateForm($0, passphrase: nil) }
        }
        let file: Secret<[UInt8]>?
        do throws(PrivateFile.Exposed) {
            file = try PrivateFile.read(path, limit: 1 << 16)
        } catch {
            throw StoreError("its passphrase_file cannot be used: \(error)")
        }
        guard let file else {
            if isPrediction { return nil }
            throw StoreError(
                "its passphrase_file \(path) is not there: make it, mode 0600, with the passphrase in its first line")
        }
        do throws(PKIError) {
            let passphrase = try Passphrase(firstLineOf: file)
            return sortedFormats.compactMap { CertificateForm($0, passphrase: passphrase) }
        } catch {
            throw StoreError("its passphrase_file \(path) \(error)")
        }
    }

    /// In the order in which they are documented.
    var sortedFormats: [FileFormat] { FileFormat.allCases.filter(settings.formats.contains) }
}

internal import AcmeModules
internal import AnsibleModule
internal import Glibc

exit(Entry.run(arguments: CommandLine.arguments, modules: allModules, version: Version.text))

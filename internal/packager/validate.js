// validate.js MODULES FILE: a bill of materials against CycloneDX's own schema.
const fs = require('fs');
const path = require('path');
const [modules, file] = process.argv.slice(2);
const { Spec, Validation } = require(path.resolve(modules, '@cyclonedx/cyclonedx-library'));

const text = fs.readFileSync(file, 'utf8');
new Validation.JsonStrictValidator(Spec.Version.v1dot5).validate(text).then((problem) => {
  if (problem !== null) {
    console.error(problem);
    process.exit(1);
  }
}, (problem) => {
  console.error(problem);
  process.exit(1);
});

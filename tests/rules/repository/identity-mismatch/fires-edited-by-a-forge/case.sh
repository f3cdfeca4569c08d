who alice
trust alice forge
policy 'rules.identity-mismatch.forge-principals = ["forge@example.com"]'
commit one
git push --quiet origin main
key forge
commit edited
judged main

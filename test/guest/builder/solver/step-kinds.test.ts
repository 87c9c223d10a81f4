import t from 'tap';
import { platformLabel, stepLabel } from '../../../../guest/builder/solver/step-kinds.ts';

// As buildkit's frontend/dockerfile/dockerfile2llb/convert.go has them (prefixCommand, formatTargetPlatform).
t.test('steps have a number, a stage and a platform where there are several', (t) => {
  t.equal(stepLabel('build', { platform: null, index: 2, total: 6 }), '[build 2/6]');
  t.equal(stepLabel(null, { platform: null, index: 2, total: 12 }), '[ 2/12]');
  t.equal(stepLabel('build', { platform: 'linux/arm64', index: 1, total: 1 }), '[linux/arm64 build 1/1]');
  t.equal(stepLabel(null, { platform: 'linux/arm64', index: 1, total: 1 }), '[linux/arm64 1/1]');
  t.end();
});

t.test('a step that may know what it is for, says so', (t) => {
  const amd64 = { os: 'linux', architecture: 'amd64' };
  const arm64 = { os: 'linux', architecture: 'arm64' };
  const v6 = { os: 'linux', architecture: 'arm', variant: 'v6' };
  for (const [its, target, args, label] of [
    [amd64, arm64, [], 'linux/amd64'],
    [amd64, arm64, ['TARGETARCH'], 'linux/amd64->arm64'],
    [amd64, arm64, ['TARGETOS'], 'linux/amd64'],
    [amd64, amd64, ['TARGETARCH'], 'linux/amd64'],
    [amd64, v6, ['TARGETPLATFORM'], 'linux/amd64->arm/v6'],
    [amd64, v6, ['TARGETARCH', 'TARGETVARIANT'], 'linux/amd64->arm/v6'],
    [v6, v6, ['TARGETPLATFORM'], 'linux/arm/v6'],
  ] as const)
    t.equal(platformLabel(its, target, new Set(args)), label);
  t.end();
});

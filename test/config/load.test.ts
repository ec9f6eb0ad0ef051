import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../lib/config/load.ts';
import { refusalOf } from '../support/refusal.ts';

function reader(files: Readonly<Record<string, string>>) {
  return (path: string): string | undefined => files[path];
}

describe('the configuration of an app', () => {
  const all = { 'tenants.yaml': 'clusters: {}', 'tenants.example.yaml': 'clusters: {}', 'own.yaml': 'clusters: {}' };

  it('is the file that was given', () => {
    const loaded = loadConfig({ given: 'own.yaml', readFile: reader(all) });
    expect(loaded).toEqual({ config: { file: 'own.yaml', clusters: [] }, isExample: false });
  });

  it('is tenants.yaml if none was given', () => {
    const loaded = loadConfig({ readFile: reader(all) });
    expect(loaded).toEqual({ config: { file: 'tenants.yaml', clusters: [] }, isExample: false });
  });

  it('is the example until there is a tenants.yaml, and says so', () => {
    const loaded = loadConfig({ given: undefined, readFile: reader({ 'tenants.example.yaml': 'clusters: {}' }) });
    expect(loaded).toEqual({ config: { file: 'tenants.example.yaml', clusters: [] }, isExample: true });
  });

  it('is no example for who asks for that file', () => {
    expect(loadConfig({ given: 'tenants.example.yaml', readFile: reader(all) }).isExample).toBe(false);
  });

  it('fails for a tenants.yaml with faults, the example notwithstanding', () => {
    const error = refusalOf(() => loadConfig({ readFile: reader({ ...all, 'tenants.yaml': '' }) }));
    expect(error.code).toBe('ConfigInvalid');
    expect(error.message).toBe(
      'configuration has 1 fault\ntenants.yaml:1:1 file must hold a mapping with the key clusters; begin from tenants.example.yaml',
    );
  });

  it('fails for a given file that is not there, and reads no other', () => {
    const error = refusalOf(() => loadConfig({ given: 'tenant.yaml', readFile: reader(all) }));
    expect(error.code).toBe('ConfigUnreadable');
    expect(error.message).toBe(
      'configuration file must exist: "tenant.yaml"; correct the path, or leave it out to read tenants.yaml',
    );
  });

  it('fails when there is no file at all', () => {
    const error = refusalOf(() => loadConfig({ readFile: reader({}) }));
    expect(error.code).toBe('ConfigUnreadable');
    expect(error.message).toBe(
      'configuration file must exist: "tenants.yaml", "tenants.example.yaml"; make one, or name another with --config or the CDK context key config',
    );
  });

  it('fails for a file that cannot be read, with the reason', () => {
    const cause = new Error('EACCES: permission denied');
    const readFile = (): never => {
      throw cause;
    };
    const error = refusalOf(() => loadConfig({ given: 'own.yaml', readFile }));
    expect(error.code).toBe('ConfigUnreadable');
    expect(error.cause).toBe(cause);
    expect(error.message).toBe(
      'configuration file must be readable: "own.yaml" is not, EACCES: permission denied; correct the path or the permissions',
    );
  });
});

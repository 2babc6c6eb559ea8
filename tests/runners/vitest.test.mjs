import { expect, test } from 'vitest';
import { kitTests } from './kit.mjs';

kitTests({ test, expect });
